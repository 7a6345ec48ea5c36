package access

// Cursor reads grants group by group, for who goes through many collections at
// once in the order of the groups. The zero value reads none.
type Cursor struct {
	grants *Grants
	next   int
}

// Cursor returns a cursor before the first group.
func (g *Grants) Cursor() Cursor { return Cursor{grants: g} }

// Take returns the level of a group. Groups must be asked for in order of
// their ids.
func (c *Cursor) Take(group int64) CollectionLevel {
	if c.grants == nil {
		return NoCollection
	}
	groups := c.grants.groups
	for c.next < len(groups) && groups[c.next] < group {
		c.next++
	}
	if c.next == len(groups) || groups[c.next] != group {
		return NoCollection
	}
	c.next++
	return c.grants.levels[c.next-1]
}
