"""The rules of tools/check. Each is a function from the tree to findings (path, line, sentence)."""
