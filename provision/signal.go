package provision

// signals are those that end a process, as SSH names them, by number.
func signals() map[int]string {
	return map[int]string{
		1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL",
		11: "SEGV", 13: "PIPE", 14: "ALRM", 15: "TERM", 24: "XCPU", 25: "XFSZ", 31: "SYS",
	}
}

// signalBehind names the signal behind a shell's 128+n, or is "".
func signalBehind(code int) string { return signals()[code-128] }

// codeOf is a shell's 128+n for a signal; 128 for one that is not known.
func codeOf(signal string) int {
	for n, name := range signals() {
		if name == signal {
			return 128 + n
		}
	}
	return 128
}
