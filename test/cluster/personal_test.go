package cluster_test

import (
	"fmt"
	"testing"

	"latchkey/internal/apptest"
)

// personal makes a personal key on a node, in groups of its person.
func personal(s *apptest.Server, session string, groups ...int64) key {
	var k key
	s.Want(201, &k, "POST", "/v1/personal-keys", body{"name": "mine", "group_ids": groups}, "X-Metabase-Session", session)
	k.path = fmt.Sprintf("/v1/personal-keys/%d", k.ID)
	return k
}

// TestPersonalKeysEnd: whatever ends a personal key on A ends it on B.
func TestPersonalKeysEnd(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *apptest.Server) {
		for i, tt := range []struct {
			name       string
			end        func(person, group int64, session string, k key)
			again      func(person, group int64) // undoes it; nil when that cannot be
			afterwards int                       // what the key gets then
		}{
			{"its person was deactivated", func(person, _ int64, _ string, _ key) {
				a.Admin(200, nil, "DELETE", fmt.Sprintf("/api/user/%d", person), nil)
			}, nil, 0},
			{"its person left the group", func(person, group int64, _ string, _ key) {
				a.Admin(204, nil, "DELETE", fmt.Sprintf("/api/permissions/membership/%d", membership(t, a, person, group)), nil)
			}, func(person, group int64) {
				a.Admin(200, nil, "POST", "/api/permissions/membership", body{"group_id": group, "user_id": person})
			}, 200},
			{"its group was deleted", func(_, group int64, _ string, _ key) {
				a.Admin(204, nil, "DELETE", fmt.Sprintf("/api/permissions/group/%d", group), nil)
			}, nil, 0},
			{"the policy switched personal keys off", func(int64, int64, string, key) {
				a.Admin(200, nil, "PUT", "/v1/policies/0", body{"allow_personal": false})
			}, func(int64, int64) {
				a.Admin(200, nil, "PUT", "/v1/policies/0", body{"allow_personal": true})
			}, 200},
			{"the policy was removed", func(int64, int64, string, key) {
				a.Admin(204, nil, "DELETE", "/v1/policies/0", nil)
			}, nil, 0},
			{"its person ended it", func(_, _ int64, session string, k key) {
				a.Want(204, nil, "DELETE", k.path, nil, "X-Metabase-Session", session)
			}, nil, 0},
			{"its person rotated it", func(_, _ int64, session string, k key) {
				a.Want(200, nil, "POST", k.path+"/rotate", nil, "X-Metabase-Session", session)
			}, nil, 0},
			{"an administrator deleted it", func(_, _ int64, _ string, k key) {
				a.Admin(204, nil, "DELETE", fmt.Sprintf("/v1/keys/%d", k.ID), nil)
			}, nil, 0},
			{"an administrator disabled it", func(_, _ int64, _ string, k key) {
				a.Admin(200, nil, "POST", fmt.Sprintf("/v1/keys/%d/disable", k.ID), body{"reason": "lost"})
			}, nil, 0},
		} {
			t.Run(tt.name, func(t *testing.T) {
				a.Admin(200, nil, "PUT", "/v1/policies/0", body{"allow_personal": true})
				group := a.Group(fmt.Sprintf("Team %d", i))
				person, session := a.Person(fmt.Sprintf("bo%d@example.com", i), group)
				k := personal(a, session, group)
				becomes(t, "a personal key made on A works on B", b, 200, "GET", me, "x-api-key", k.Text)
				warm(t, b, 200, me, "x-api-key", k.Text)
				tt.end(person, group, session, k)
				becomes(t, "a personal key is refused on B: on A, "+tt.name, b, 401, "GET", me, "x-api-key", k.Text)
				if tt.again != nil {
					tt.again(person, group)
					becomes(t, "it is answered on B as on A when that is undone", b, tt.afterwards, "GET", me, "x-api-key", k.Text)
				}
			})
		}
	})
}

// TestPersonalKeyLosesRights: a personal key has no more than its person, on B
// as on A.
func TestPersonalKeyLosesRights(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *apptest.Server) {
		a.Admin(200, nil, "PUT", "/v1/policies/0", body{"allow_personal": true})
		group := a.Group("Analysts")
		person, session := a.Person("bo@example.com", group, 2)
		k := personal(a, session, group, 2)
		warm(t, b, 200, groups, "x-api-key", k.Text)
		a.Admin(204, nil, "DELETE", fmt.Sprintf("/api/permissions/membership/%d", membership(t, a, person, 2)), nil)
		becomes(t, "the key of a person who is no administrator any more since A said so is none on B", b, 403, "GET", groups, "x-api-key", k.Text)
		warm(t, b, 200, me, "x-api-key", k.Text)
	})
}
