package usage

// Pending returns how many entries of this node are not written yet, as Totals
// does, but without the database.
func (s *Service) Pending() int64 { return s.waiting.Load() + s.flying.Load() }
