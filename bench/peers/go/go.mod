module sluice-boards

go 1.19
