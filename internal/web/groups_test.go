package web_test

import (
	"fmt"
	"testing"

	"latchkey/internal/access"
)

const groupsPath = "/admin/people/groups"

func TestGroups(t *testing.T) {
	w := ready(t)
	b := w.admin()
	b.get(groupsPath).wants(t, 200, "All Users", "Administrators", "Create a group").lacks(t, `title="Delete"`, `title="Rename"`)
	b.post(groupsPath+"/new", "name", "all USERS").wants(t, 400, "A group with that name already exists.", `id="error-name"`, `value="all USERS"`)
	b.post(groupsPath+"/new", "name", " ").wants(t, 400, "Value must be a non-blank string.")
	b.post(groupsPath+"/new", "name", "Analysts").leads(t, groupsPath+"/3")
	b.get(groupsPath+"/3").wants(t, 200, "No people in this group", "No API keys in this group", "The group was created.")
	b.post(groupsPath+"/3/rename", "name", "administrators").wants(t, 400, "A group with that name already exists.")
	b.post(groupsPath+"/3/rename", "name", "Night jobs").leads(t, groupsPath+"/3")
	b.get(groupsPath+"?q=NIGHT").wants(t, 200, "Night jobs").lacks(t, "All Users</a>")
	b.get(groupsPath+"?q=zzz").wants(t, 200, "No group has “zzz” in its name")
	b.post(groupsPath+"/1/rename", "name", "Everybody").wants(t, 400, "You cannot edit or delete the 'All Users' permissions group!")
	b.post(groupsPath+"/2/delete").wants(t, 400, "You cannot edit or delete the 'Administrators' permissions group!")
}

func TestDeleteGroupSaysWhatHappens(t *testing.T) {
	w := ready(t)
	b := w.admin()
	g, err := w.groups.Create(t.Context(), boss(), "Doomed")
	w.must(err)
	path := fmt.Sprintf("%s/%d/delete", groupsPath, g.ID)
	b.get(path).wants(t, 200, "No people are in this group.", "No API keys are in it.")
	w.user("bo@example.com", g.ID)
	for i := range 12 {
		w.key(fmt.Sprintf("job %02d", i), g.ID)
	}
	b.get(groupsPath).wants(t, 200, "(includes 12 API keys)")
	b.get(path).wants(t, 200, "1 person loses", "12 API keys move to All Users. They go on working", "job 00", "job 09", "and 2 more")
	b.post(path).leads(t, groupsPath)
	b.get(groupsPath).wants(t, 200, "The group was deleted.").lacks(t, "Doomed")
	b.get(keysPath).wants(t, 200, "job 00", "All Users")
	b.post(path).wants(t, 404)
}

func TestMembers(t *testing.T) {
	w := ready(t)
	b := w.admin()
	g, err := w.groups.Create(t.Context(), boss(), "Analysts")
	w.must(err)
	u := w.user("bo@example.com")
	path := fmt.Sprintf("%s/%d", groupsPath, g.ID)
	b.get(path+"/add?find=bo@").wants(t, 200, `aria-label="Add bo@example.com"`).lacks(t, "Add Ada Admin")
	b.get(path+"/add?find=zzz").wants(t, 200, "Nobody matches “zzz”")
	b.post(path+"/add", "user_id", fmt.Sprint(u.ID)).leads(t, path)
	b.get(path).wants(t, 200, "bo@example.com", "1 member")
	b.get(path+"?q=zzz").wants(t, 200, "Nobody in this group matches")
	b.get(path+"/add?find=bo@").wants(t, 200, "in the group").lacks(t, `aria-label="Add bo@example.com"`)
	b.post(path+"/add", "user_id", "99999").wants(t, 400)
	remove := fmt.Sprintf("%s/members/%d/remove", path, u.ID)
	b.get(remove).wants(t, 200, "loses what this group may do")
	b.post(remove).leads(t, path)
	b.get(path).wants(t, 200, "No people in this group")
	b.get(groupsPath+"/1").wants(t, 200, "bo@example.com").lacks(t, "Add someone", `title="Remove from the group"`)
	b.post(groupsPath+"/1/add", "user_id", fmt.Sprint(u.ID)).wants(t, 400, "You cannot add or remove users to/from the 'All Users' group.")
}

func TestLastAdministratorStays(t *testing.T) {
	w := ready(t)
	b := w.admin()
	ada, err := w.people.ByEmail(t.Context(), boss(), adaEmail)
	w.must(err)
	remove := fmt.Sprintf("%s/2/members/%d/remove", groupsPath, ada.ID)
	b.post(remove).wants(t, 400, "You cannot remove the last member of the 'Admin' group!")
	w.user("bo@example.com", access.Administrators)
	b.post(remove).leads(t, "/") // no longer an administrator: not back to a page that refuses them
	b.get("/").wants(t, 200, "What you may do")
}

func TestManyGroupsAreSearched(t *testing.T) {
	w := ready(t)
	b := w.admin()
	for i := range 210 {
		_, err := w.groups.Create(t.Context(), boss(), fmt.Sprintf("Group %03d", i))
		w.must(err)
	}
	b.get(groupsPath).wants(t, 200, "1–50 of 212")
	b.get(keysPath+"/new").wants(t, 200, "Find a group", "Group 000", "and 192 more").lacks(t, "Group 100")
	b.get(groupsPath+"/options?picker=group_id&group_id_query=group+10").wants(t, 200, "Group 100", `type="radio"`).lacks(t, "<html", "Group 000")
	b.get(groupsPath+"/options?picker=groups&several=yes&open=yes&groups_query=all&groups=5").wants(t, 200, `type="checkbox"`, `value="5" checked`).lacks(t, "All Users")
	// Without JavaScript the form itself searches, and keeps what was typed.
	b.post(keysPath+"/new", "token", "x", "name", "typed", "group_id_query", "209", "find", "yes").wants(t, 200, `value="typed"`, "Group 209").lacks(t, "Group 000")
	g, _ := w.groups.Search("Group 209", 1, 0)
	shownKey(t, b.post(keysPath+"/new", "token", b.token(keysPath+"/new"), "name", "typed", "group_id", fmt.Sprint(g[0].ID)))
	b.get(fmt.Sprintf("%s/%d/edit", keysPath, w.onlyKey().ID)).wants(t, 200, fmt.Sprintf(`value="%d" checked`, g[0].ID), "Group 209")
}
