package apikey

import (
	"context"
	"fmt"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/usage"
)

// Safety says whether a key may be deleted without harm.
type Safety string

// The verdicts.
const (
	Safe    Safety = "safe"    // nothing uses it
	Likely  Safety = "likely"  // nothing has used it for a long time
	Caution Safety = "caution" // something used it not long ago
	InUse   Safety = "in-use"  // something uses it
)

// Verdict answers "may I delete this key?".
type Verdict struct {
	Safety  Safety
	Reasons []string
	Last    *usage.LastUse // nil when it was never used
	Recent  int64          // requests within 30 days
}

// The borders of the verdicts.
const (
	quietFor = 90 * day
	silent   = 30 * day
	busy     = 7 * day
)

// Verdict judges from the evidence whether anything would miss a key. It
// returns NotFound and Forbidden.
func (s *Service) Verdict(ctx context.Context, who *access.Principal, id int64) (Verdict, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Verdict{}, err
	}
	key, err := s.any(ctx, id)
	if err != nil {
		return Verdict{}, err
	}
	now := s.db.Now(ctx)
	last, err := s.usage.Last(ctx, []int64{id})
	if err != nil {
		return Verdict{}, err
	}
	recent, err := s.usage.Count(ctx, id, now.Add(-silent))
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Recent: recent}
	if use, ok := last[id]; ok {
		v.Last = &use
	}
	v.judge(key, now)
	return v, nil
}

func (v *Verdict) say(format string, args ...any) {
	v.Reasons = append(v.Reasons, fmt.Sprintf(format, args...))
}

func (v *Verdict) judge(k Key, now time.Time) {
	age := now.Sub(k.CreatedAt)
	switch {
	case v.Last == nil && age < busy:
		v.Safety = Caution
		v.say("It was made %s ago and has not been used yet: somebody may be about to.", days(age))
	case v.Last == nil:
		v.Safety = Safe
		v.say("It has never been used in the %s since it was made.", days(age))
	default:
		v.byUse(now.Sub(v.Last.At))
	}
	if state := k.State(now); state != Active {
		v.say("It does not work now: it is %s.", state)
		if v.Safety == InUse || v.Safety == Caution && v.Last != nil {
			v.Safety = Caution
		} else {
			v.Safety = Safe
		}
	}
	if k.Owner.ID != 0 && k.State(now) != Deleted {
		v.say("Its owner is %s: ask before you delete it.", k.Owner.Name)
	}
	if k.ReviewSince != nil {
		v.say("Its owner was deactivated, and nobody has taken it over.")
	}
	if k.Source == SourceSeed {
		v.say("A seed file made it: take it out of that file as well.")
	}
}

func (v *Verdict) byUse(ago time.Duration) {
	switch {
	case ago < busy:
		v.Safety = InUse
		v.say("It was used %s ago, by %s.", days(ago), client(v.Last))
	case ago < silent:
		v.Safety = Caution
		v.say("It was last used %s ago, by %s.", days(ago), client(v.Last))
	case ago < quietFor:
		v.Safety = Likely
		v.say("It has not been used for %s; a job that runs every quarter would still miss it.", days(ago))
	default:
		v.Safety = Safe
		v.say("It has not been used for %s.", days(ago))
	}
	switch v.Recent {
	case 0:
	case 1:
		v.say("It made 1 request in the last 30 days.")
	default:
		v.say("It made %d requests in the last 30 days.", v.Recent)
	}
}

// days says a length of time in words.
func days(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		word string
	}{{day, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		switch n := int(d / unit.size); {
		case n == 1:
			return "1 " + unit.word
		case n > 1:
			return fmt.Sprintf("%d %ss", n, unit.word)
		}
	}
	return "a moment"
}

// client names what used a key.
func client(u *usage.LastUse) string {
	name := u.Agent
	if name == "" {
		name = "a client without a name"
	}
	if u.Addr.IsValid() {
		name += " at " + u.Addr.String()
	}
	return name
}
