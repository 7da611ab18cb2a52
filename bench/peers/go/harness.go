// The boards in Go: the same work, the same JSON lines as the C++ ones (bench/harness.cpp), goroutines and channels.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type effort int

const (
	full effort = iota
	quick
	warmUp
)

// scaled is the share of `total` that the effort asks for, as a multiple of granule and at least one granule.
func scaled(e effort, total, granule int) int {
	share := total
	switch e {
	case quick:
		share = total / 5
	case warmUp:
		share = total / 50
	}
	if share/granule == 0 {
		return granule
	}
	return share / granule * granule
}

type reading struct {
	value     float64
	unit      string
	items     int
	wall, cpu float64
	extra     map[string]float64
}

type stopwatch struct {
	wall time.Time
	cpu  float64
}

func processCPU() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) * 1e-9
}

func start() stopwatch { return stopwatch{time.Now(), processCPU()} }

func (w stopwatch) nsPerItem(items int) reading {
	r := reading{unit: "ns", items: items, wall: time.Since(w.wall).Seconds(), cpu: processCPU() - w.cpu}
	r.value = r.wall / float64(items) * 1e9
	return r
}

func (w stopwatch) millionsPerS(items int) reading {
	r := w.nsPerItem(items)
	r.unit, r.value = "M/s", 1e3/r.value
	return r
}

func checkEqual(what string, got, expected int) {
	if got != expected {
		panic(fmt.Errorf("Wrong answer: %s is %d and should be %d.", what, got, expected))
	}
}

func quantile(samples []float64, q float64) float64 {
	sort.Float64s(samples)
	i := int(q * float64(len(samples)))
	if i >= len(samples) {
		i = len(samples) - 1
	}
	return samples[i]
}

func statusField(path, name string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0 // a thread that has just ended
	}
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, name) {
			number, _ := strconv.Atoi(strings.Fields(line[len(name):])[0])
			return number
		}
	}
	return 0
}

func switchesOfOtherThreads() int {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		panic(err)
	}
	sum := 0
	for _, thread := range threads {
		if thread.Name() == strconv.Itoa(os.Getpid()) {
			continue
		}
		path := "/proc/self/task/" + thread.Name() + "/status"
		sum += statusField(path, "voluntary_ctxt_switches:") + statusField(path, "nonvoluntary_ctxt_switches:")
	}
	return sum
}

type board struct {
	name string
	run  func(effort) reading
	warm bool
}

func measure(b board, e effort) (r reading, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			var ok bool
			if err, ok = caught.(error); !ok {
				err = errors.New(fmt.Sprint(caught))
			}
		}
	}()
	if b.warm {
		b.run(warmUp)
	}
	return b.run(e), nil
}

func printLine(b board, r reading, err error) {
	line := map[string]any{"board": b.name, "peer": "Go"}
	if err != nil {
		line["error"] = err.Error()
	} else {
		line["value"], line["unit"] = r.value, r.unit
		line["items"], line["wall_s"], line["cpu_s"] = r.items, r.wall, r.cpu
		line["items_per_s"], line["items_per_cpu_s"] = float64(r.items)/r.wall, float64(r.items)/r.cpu
		line["peak_rss_mb"] = float64(statusField("/proc/self/status", "VmHWM:")) * 1024e-6
		line["workers"] = runtime.GOMAXPROCS(0)
		for name, value := range r.extra {
			line[name] = value
		}
	}
	text, fault := json.Marshal(line)
	if fault != nil {
		panic(fault)
	}
	fmt.Println(string(text))
}

func main() {
	runtime.LockOSThread() // the first thread is this goroutine's alone: the idle board leaves it out
	quickly := flag.Bool("quick", false, "do about a fifth")
	list := flag.Bool("list", false, "print the names of the boards")
	only := flag.String("board", "", "run this board only")
	flag.Parse()
	e := full
	if *quickly {
		e = quick
	}
	status, found := 0, false
	for _, b := range boards {
		if *list {
			fmt.Println("Go/" + b.name)
		} else if *only == "" || *only == b.name {
			found = true
			// In a goroutine of its own: this one is tied to its thread, which makes every switch a system call.
			done := make(chan struct{})
			go func() {
				r, err := measure(b, e)
				printLine(b, r, err)
				if err != nil {
					status = 1
				}
				close(done)
			}()
			<-done
		}
	}
	if !*list && !found {
		fmt.Fprintln(os.Stderr, "There is no board "+*only+"; see -list.")
		status = 2
	}
	os.Exit(status)
}
