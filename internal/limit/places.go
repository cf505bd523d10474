package limit

import "sync"

// Places limits how much is open at once, by key. The zero value has all places free.
type Places struct {
	mu    sync.Mutex
	taken map[string]int
}

// Take takes a place of the key, which has at most so many as most says. It returns false
// when all are taken. leave frees the place; calling it again does nothing.
func (p *Places) Take(key string, most int) (leave func(), ok bool) { return p.TakeSome(key, 1, most) }

// TakeSome takes n of the places of the key at once, as Take does.
func (p *Places) TakeSome(key string, n, most int) (leave func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[key]+n > most {
		return nil, false
	}
	if p.taken == nil {
		p.taken = map[string]int{}
	}
	p.taken[key] += n
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.taken[key] -= n; p.taken[key] == 0 {
			delete(p.taken, key)
		}
	}), true
}

// Taken returns how many places are taken, of all keys together.
func (p *Places) Taken() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, of := range p.taken {
		n += of
	}
	return n
}
