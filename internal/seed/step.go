package seed

import (
	"fmt"
	"slices"
	"strings"
)

// Action is what a step does to one thing.
type Action string

// The actions. The last two change nothing, and still are drift: the file and
// the instance differ.
const (
	Unchanged Action = "unchanged"
	Create    Action = "create"
	Update    Action = "update"
	Remove    Action = "remove"
	Gone      Action = "gone" // an earlier file made it, this one lacks it; only pruning removes it
	Left      Action = "left" // differs, and is not the file's to change
)

// The kinds of thing that a file makes.
const (
	kindGroup     = "group"
	kindPerson    = "person"
	kindPolicy    = "policy"
	kindKey       = "key"
	kindBootstrap = "bootstrap"
)

// Step is what was done, or would be, for one thing. It holds no secret.
type Step struct {
	Action Action
	Kind   string // group, person, policy or key
	Name   string
	Line   int // of the file; 0 for what the file lacks
	Detail []string
}

var signs = map[Action]string{Unchanged: "=", Create: "+", Update: "~", Remove: "-", Gone: "-", Left: "!"}

// String returns the step as one line: a sign, the thing, and what is meant.
func (s Step) String() string {
	line := fmt.Sprintf("%s %s %q", signs[s.Action], s.Kind, s.Name)
	if len(s.Detail) > 0 {
		line += ": " + strings.Join(s.Detail, "; ")
	}
	return line
}

// Drift returns the steps by which the instance differs from the file.
func Drift(steps []Step) []Step {
	return slices.DeleteFunc(slices.Clone(steps), func(s Step) bool { return s.Action == Unchanged })
}

// Count returns how many steps have the action.
func Count(steps []Step, a Action) int {
	n := 0
	for _, s := range steps {
		if s.Action == a {
			n++
		}
	}
	return n
}
