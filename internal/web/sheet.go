package web

import "maps"

// sheet says which templates make a page, and where it stands in the menus.
type sheet struct {
	Frame   string // narrow: a card; plain: header only; account, settings, people, audit: with a menu
	Menu    string // the entry of the menu
	files   []string
	partial bool // answers with its template alone, for a part of a page
}

// sheets returns all pages by name. A dialog is a page of its own, which lies
// over another.
func sheets() map[string]sheet {
	all := map[string]sheet{
		"error":          {Frame: "plain", files: []string{"error"}},
		"setup":          {Frame: "narrow", files: []string{"setup"}},
		"login":          {Frame: "narrow", files: []string{"login"}},
		"forgot":         {Frame: "narrow", files: []string{"forgot"}},
		"reset":          {Frame: "narrow", files: []string{"reset"}},
		"home":           {Frame: "plain", files: []string{"home"}},
		"profile":        {Frame: "account", Menu: "profile", files: []string{"profile"}},
		"password":       {Frame: "account", Menu: "password", files: []string{"password"}},
		"sessions":       {Frame: "account", Menu: "sessions", files: []string{"sessions"}},
		"general":        {Frame: "settings", Menu: "general", files: []string{"general"}},
		"authentication": {Frame: "settings", Menu: "authentication", files: []string{"authentication"}},
		"people":         onPeople("people"),
		"person-new":     onPeople("people", "person_new"),
		"person-secret":  onPeople("people", "secret"),
		"person":         onPeople("person"),
		"person-reset":   onPeople("person", "person_reset"),
		"person-link":    onPeople("person", "secret"),
		"person-off":     onPeople("person", "person_deactivate"),
		"person-leave":   onPeople("person", "member_remove"),
		"groups":         onGroups("groups"),
		"group-new":      onGroups("groups", "group_new"),
		"group":          onGroups("group"),
		"group-rename":   onGroups("group", "group_rename"),
		"group-delete":   onGroups("group", "group_delete"),
		"group-add":      onGroups("group", "group_add"),
		"group-remove":   onGroups("group", "member_remove"),
		"own-keys":       onOwnKeys(),
		"own-key-new":    onOwnKeys("account_key_new"),
		"own-key-rotate": onOwnKeys("account_key_rotate"),
		"own-key-end":    onOwnKeys("account_key_end"),
		"own-key-secret": onOwnKeys("secret"),
		"policies":       onPolicies(),
		"policy":         onPolicies("policy"),
		"policy-new":     onPolicies("policy_new"),
		"policy-remove":  onPolicies("policy_remove"),
		"audit":          onAudit(),
		"audit-entry":    onAudit("audit_entry"),
		"audit-key":      onAudit("audit_key"),
		"explain":        {Frame: "audit", Menu: "explain", files: []string{"explain"}},
		"group-options":  {files: []string{"group_options"}, partial: true},
	}
	maps.Copy(all, keySheets())
	maps.Copy(all, contentSheets())
	return all
}

// keySheets returns the pages of keys. Some dialogs lie over the list or over
// the page of a key.
func keySheets() map[string]sheet {
	on := func(page string, dialog ...string) sheet {
		return sheet{Frame: "settings", Menu: "authentication", files: append([]string{"key_parts", page}, dialog...)}
	}
	all := map[string]sheet{
		"keys": on("keys"), "key": on("key"), "key-restriction": on("key_restriction"), "key-new": on("keys", "key_new"),
		"key-secret": on("keys", "secret"), "key-secret" + onPage: on("key", "secret"),
	}
	for _, what := range []string{"edit", "regenerate", "delete"} {
		all["key-"+what] = on("keys", "key_"+what)
	}
	for _, what := range []string{"edit", "regenerate", "delete", "rotate", "disable", "enable", "retire", "enforce"} {
		all["key-"+what+onPage] = on("key", "key_"+what)
	}
	return all
}

// contentSheets returns the pages of content, with the collections beside them.
func contentSheets() map[string]sheet {
	on := func(page string, dialog ...string) sheet {
		return sheet{Frame: "browse", files: append([]string{"browse_parts", page}, dialog...)}
	}
	all := map[string]sheet{
		"collection": on("collection"), "trash": on("trash"),
		"folder-options":   {files: []string{"browse_parts", "folder_options"}, partial: true},
		"selected-restore": on("trash", "selected_restore"), "selected-delete": on("trash", "selected_delete"),
		"selected-archive": on("collection", "selected_archive"), "selected-move": on("collection", "selected_move"),
	}
	all["history"], all["history-revert"] = on("history"), on("history", "history_revert")
	all["question"] = sheet{Frame: "browse", files: []string{"browse_parts", "result", "question"}}
	all["dashboard"] = on("dashboard")
	all["dashcard"] = sheet{files: []string{"result", "dashcard"}, partial: true}
	all["matrix"] = sheet{Frame: "permissions", Menu: "collections", files: []string{"matrix"}}
	for _, what := range []string{"new", "edit", "move", "archive", "permissions"} {
		all["collection-"+what] = on("collection", "collection_"+what)
	}
	return all
}

func onPeople(files ...string) sheet { return sheet{Frame: "people", Menu: "people", files: files} }

func onGroups(files ...string) sheet { return sheet{Frame: "people", Menu: "groups", files: files} }

func onOwnKeys(dialog ...string) sheet {
	return sheet{Frame: "account", Menu: "api-keys", files: append([]string{"account_keys"}, dialog...)}
}

func onPolicies(dialog ...string) sheet {
	return sheet{Frame: "settings", Menu: "authentication", files: append([]string{"policies"}, dialog...)}
}

func onAudit(dialog ...string) sheet {
	return sheet{Frame: "audit", Menu: "audit", files: append([]string{"audit"}, dialog...)}
}
