package native

// globMatch reports whether s matches a pattern of *, ?, [sets] and \escapes.
func globMatch(pattern, s string) bool {
	for pattern != "" {
		if pattern[0] == '*' {
			for pattern != "" && pattern[0] == '*' {
				pattern = pattern[1:]
			}
			for i := range len(s) + 1 {
				if globMatch(pattern, s[i:]) {
					return true
				}
			}
			return false
		}
		if s == "" {
			return false
		}
		n, fits := globByte(pattern, s[0])
		if !fits {
			return false
		}
		pattern, s = pattern[n:], s[1:]
	}
	return s == ""
}

// globByte matches one byte against the start of a pattern and returns how long
// that start is.
func globByte(pattern string, b byte) (n int, fits bool) {
	switch {
	case pattern[0] == '?':
		return 1, true
	case pattern[0] == '\\' && len(pattern) > 1:
		return 2, pattern[1] == b
	case pattern[0] != '[':
		return 1, pattern[0] == b
	}
	i := 1
	not := i < len(pattern) && (pattern[i] == '^' || pattern[i] == '!')
	if not {
		i++
	}
	for start := i; i < len(pattern) && (pattern[i] != ']' || i == start); i++ {
		low := pattern[i]
		high := low
		if i+2 < len(pattern) && pattern[i+1] == '-' && pattern[i+2] != ']' {
			high = pattern[i+2]
			i += 2
		}
		fits = fits || (low <= b && b <= high)
	}
	if i >= len(pattern) {
		return 1, b == '[' // no end: the bracket stands for itself
	}
	return i + 1, fits != not
}
