package usage

import (
	"net/netip"
	"time"

	"latchkey/internal/access"
)

// Use is one request with a key that passed the check of the key.
type Use struct {
	KeyID     int64
	SecretID  int64
	Route     string // as declared, "GET /api/user/{id}"; "" means there is no such route
	Status    int
	Refusal   string // reason code, "" when it was not refused
	Trial     string // code with which the restriction on trial would have refused
	Addr      netip.Addr
	Agent     string
	RequestID string
	At        time.Time
	Took      time.Duration
	Refs      []access.Ref
	Writes    []access.FieldWrite
}

// LastUse is the newest use of a secret.
type LastUse struct {
	SecretID int64
	At       time.Time
	Addr     netip.Addr // the zero Addr when it was not known
	Agent    string
	Route    string
}

// Step is the width of a bucket.
type Step int

// The widths.
const (
	Hour Step = iota + 1
	Day       // of UTC
)

// Bucket is the requests of one hour or day. Refused holds those that the
// check of the key turned away, too.
type Bucket struct {
	Start    time.Time
	OK       int64           // 2xx
	Redirect int64           // 3xx
	Refused  int64           // 4xx
	Failed   int64           // 5xx
	BySecret map[int64]int64 // all requests, by the id of the secret
}

// RouteCount is how often a route was called.
type RouteCount struct {
	Route  string // "" is all calls of routes that there are not
	N      int64
	Failed int64 // of N, answered with 4xx or 5xx
	Last   time.Time
}

// AddressCount is how often a client address called. The zero Addr stands for
// all addresses that found no room.
type AddressCount struct {
	Addr   netip.Addr
	N      int64
	Failed int64 // of N, answered with 4xx or 5xx
	First  time.Time
	Last   time.Time
}

// ReasonCount is how often a key was refused for a reason.
type ReasonCount struct {
	Reason string
	N      int64
	Last   time.Time
}

// TrialCount is how often a restriction on trial would have refused a route
// for a reason.
type TrialCount struct {
	Reason string
	Route  string
	N      int64
	Last   time.Time
}

// Sample is one request of which a row was kept.
type Sample struct {
	ID        int64
	At        time.Time
	SecretID  int64
	Route     string
	Status    int
	Took      time.Duration
	Addr      netip.Addr
	Agent     string
	RequestID string
	Refusal   string
	Trial     string
}

// Facts is what a key really did since a time, as far as calls succeeded: what
// the narrowest restriction must allow.
type Facts struct {
	Since         time.Time
	Requests      int64               // all that passed the check, refused and failed ones too
	Routes        []RouteCount        // successful calls, the most called first
	Refs          map[string][]string // ids by kind, sorted
	Many          []string            // kinds of which more ids were touched than Refs holds
	Writes        map[string][]string // fields by kind, sorted
	ManyFields    []string            // kinds of which more fields were written than Writes holds
	Addresses     []netip.Addr        // sorted
	ManyAddresses bool                // there were more than Addresses holds
}

// Totals is the state of the counting, for metrics.
type Totals struct {
	Samples        int64            // rows that are kept
	SamplesDropped int64            // requests without a row, ever, on all nodes
	Dropped        map[string]int64 // the same by why: rate, full, aged
	Pending        int64            // entries of this node that are not written yet
	FlushFailures  int64            // of this node, since it started
}
