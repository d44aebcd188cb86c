package sim

// Shrink leaves out of a run that fails what it fails without: operations, then
// kinds of faults. What is left still fails, perhaps in another way.
func Shrink(p Plan) Plan {
	fails := func(p Plan) bool {
		p.Verbose = false
		return len(Run(p).Violations) > 0
	}
	n := len(script(p.Seed))
	for size := n / 2; size > 0; size /= 2 {
		for from := 0; from < n; from += size {
			less := p
			less.Skip = map[int]bool{}
			for i := range p.Skip {
				less.Skip[i] = true
			}
			for i := from; i < min(from+size, n); i++ {
				less.Skip[i] = true
			}
			if len(less.Skip) > len(p.Skip) && fails(less) {
				p = less
			}
		}
	}
	for f := range p.Calm {
		less := p
		less.Calm[f] = true
		if fails(less) {
			p = less
		}
	}
	return p
}
