package access

// Within reports whether everything that r allows, other allows too, with its
// conditions. It is careful: when that is not plain, it reports false.
func (r Restriction) Within(other Restriction) bool {
	a, errA := r.Compile()
	b, errB := other.Compile()
	if errA != nil || errB != nil {
		return false
	}
	return (a.from.ReadOnly || !b.from.ReadOnly) &&
		subset(a.from.Scopes, b.from.Scopes) && subset(a.from.Routes, b.from.Routes) &&
		bound(a.resources, b.resources, func(x *binding, id string) bool { return x.items[id] }) &&
		(a.from.ReadOnly || bound(a.fields, b.fields, (*binding).covers)) &&
		a.conditionsWithin(b)
}

// subset reports whether a list allows no more than another; nil allows all.
func subset(list, other []string) bool {
	if other == nil {
		return true
	}
	allowed := set(other)
	for _, s := range list {
		if !allowed[s] {
			return false
		}
	}
	return list != nil
}

// bound reports whether everything that others bind is bound at least as tight.
func bound(list, others []binding, allows func(*binding, string) bool) bool {
	for i := range others {
		other := &others[i]
		found := false
		for _, b := range list {
			if b.kind != other.kind {
				continue
			}
			found = true
			for item := range b.items {
				if !allows(other, item) {
					return false
				}
			}
		}
		if !found {
			return false
		}
	}
	return true
}

func (l *Limits) conditionsWithin(other *Limits) bool {
	a, b := &l.from, &other.from
	if b.Addresses != nil && a.Addresses == nil {
		return false
	}
	if b.Addresses != nil {
		for _, s := range l.nets {
			if !other.nets.holds(s) {
				return false
			}
		}
	}
	if b.Hours != nil && (a.Hours == nil || !l.hours.within(other.hours)) {
		return false
	}
	return a.RateLimit.within(b.RateLimit) && a.Quota.within(b.Quota)
}

// within reports whether a limit allows no burst and no rate above another's.
func (r *RateLimit) within(other *RateLimit) bool {
	if other == nil {
		return true
	}
	return r != nil && r.Requests <= other.Requests && r.Seconds >= other.Seconds
}

// longestMonth is how often a day's quota can be used up in a month.
const longestMonth = 31

func (q *Quota) within(other *Quota) bool {
	switch {
	case other == nil:
		return true
	case q == nil:
		return false
	case q.Period == PerDay && other.Period == PerMonth:
		return q.Requests*longestMonth <= other.Requests
	}
	return q.Requests <= other.Requests
}
