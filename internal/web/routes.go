package web

import (
	"net/http"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/content"
)

// The addresses that handlers redirect to.
const (
	pathHome     = "/"
	pathSetup    = "/setup"
	pathLogin    = "/auth/login"
	pathProfile  = "/account/profile"
	pathPassword = "/account/password"
	pathSessions = "/account/sessions"
	pathGeneral  = "/admin/settings/general"
	pathSignIns  = "/admin/settings/authentication"
	pathKeys     = "/admin/settings/authentication/api-keys"
	pathPeople   = "/admin/people"
	pathPerson   = "/admin/people/user"
	pathGroups   = "/admin/people/groups"
)

// routes returns every page and form, each with who may use it.
func (s *site) routes() []route {
	return slices.Concat(doorRoutes(), accountRoutes(), settingRoutes(), keyRoutes(), peopleRoutes(), groupRoutes(),
		ownKeyRoutes(), policyRoutes(), auditRoutes(), explainRoutes(), collectionRoutes(), permissionRoutes(), questionRoutes(), dashboardRoutes())
}

func doorRoutes() []route {
	read, write := access.Public("session", access.Read), access.Public("session", access.Write)
	return []route{
		{http.MethodGet, pathSetup, read, (*page).showSetup},
		{http.MethodPost, pathSetup, write, (*page).setup},
		{http.MethodGet, pathLogin, read, (*page).showLogin},
		{http.MethodPost, pathLogin, write, (*page).login},
		{http.MethodPost, "/auth/logout", write, (*page).logout},
		{http.MethodGet, "/auth/forgot_password", read, (*page).showForgot},
		{http.MethodPost, "/auth/forgot_password", write, (*page).forgot},
		{http.MethodGet, "/auth/reset_password/{token}", read, (*page).showReset},
		{http.MethodPost, "/auth/reset_password/{token}", write, (*page).reset},
		{http.MethodGet, pathHome, access.Authenticated("session", access.Read), (*page).home},
	}
}

func accountRoutes() []route {
	read, write := access.Authenticated("people", access.Read), access.Authenticated("people", access.Write)
	return []route{
		{http.MethodGet, "/account", read, to(pathProfile)},
		{http.MethodGet, pathProfile, read, (*page).showProfile},
		{http.MethodPost, pathProfile, write, (*page).saveProfile},
		{http.MethodGet, pathPassword, read, (*page).showPassword},
		{http.MethodPost, pathPassword, write, (*page).changePassword},
		{http.MethodGet, pathSessions, read, (*page).showSessions},
		{http.MethodPost, pathSessions + "/end-others", write, (*page).endOtherSessions},
		{http.MethodPost, pathSessions + "/{id}/end", write, (*page).endSession},
	}
}

func settingRoutes() []route {
	read, write := access.Admin("settings", access.Read), access.Admin("settings", access.Write)
	return []route{
		{http.MethodGet, "/admin", read, to(pathGeneral)},
		{http.MethodGet, "/admin/settings", read, to(pathGeneral)},
		{http.MethodGet, pathGeneral, read, (*page).showGeneral},
		{http.MethodPost, pathGeneral, write, (*page).saveGeneral},
		{http.MethodGet, pathSignIns, read, (*page).showAuthentication},
	}
}

func keyRoutes() []route {
	read, write := access.Admin("keys", access.Read), access.Admin("keys", access.Write)
	return []route{
		{http.MethodGet, pathKeys, read, (*page).showKeys},
		{http.MethodGet, pathKeys + "/new", read, (*page).showKeyNew},
		{http.MethodPost, pathKeys + "/new", write, (*page).createKey},
		{http.MethodGet, pathKeys + "/{id}/edit", read, (*page).showKeyEdit},
		{http.MethodPost, pathKeys + "/{id}/edit", write, (*page).saveKey},
		{http.MethodGet, pathKeys + "/{id}/regenerate", read, (*page).showKeyRegenerate},
		{http.MethodPost, pathKeys + "/{id}/regenerate", write, (*page).regenerateKey},
		{http.MethodGet, pathKeys + "/{id}/delete", read, (*page).showKeyDelete},
		{http.MethodPost, pathKeys + "/{id}/delete", write, (*page).deleteKey},
		{http.MethodGet, pathKeys + "/{id}", read, (*page).showKey},
		{http.MethodGet, pathKeys + "/{id}/rotate", read, (*page).showKeyRotate},
		{http.MethodPost, pathKeys + "/{id}/rotate", write, (*page).rotateKey},
		{http.MethodGet, pathKeys + "/{id}/disable", read, (*page).showKeyDisable},
		{http.MethodPost, pathKeys + "/{id}/disable", write, (*page).disableKey},
		{http.MethodGet, pathKeys + "/{id}/enable", read, (*page).showKeyEnable},
		{http.MethodPost, pathKeys + "/{id}/enable", write, (*page).enableKey},
		{http.MethodGet, pathKeys + "/{id}/secrets/{secret}/retire", read, (*page).showRetire},
		{http.MethodPost, pathKeys + "/{id}/secrets/{secret}/retire", write, (*page).retireSecret},
		{http.MethodGet, pathKeys + "/{id}/restriction", read, (*page).showRestriction},
		{http.MethodPost, pathKeys + "/{id}/restriction", write, (*page).saveRestriction},
		{http.MethodPost, pathKeys + "/{id}/trial", write, (*page).startTrial},
		{http.MethodPost, pathKeys + "/{id}/trial/end", write, (*page).endTrial},
		{http.MethodGet, pathKeys + "/{id}/trial/enforce", read, (*page).showEnforce},
		{http.MethodPost, pathKeys + "/{id}/trial/enforce", write, (*page).enforceTrial},
	}
}

func peopleRoutes() []route {
	read, write := access.Admin("people", access.Read), access.Admin("people", access.Write)
	member := access.Admin("memberships", access.Write)
	return []route{
		{http.MethodGet, pathPeople, read, (*page).showPeople},
		{http.MethodGet, pathPeople + "/new", read, (*page).showPersonNew},
		{http.MethodPost, pathPeople + "/new", write, (*page).invitePerson},
		{http.MethodGet, pathPerson + "/{id}", read, (*page).showPerson},
		{http.MethodPost, pathPerson + "/{id}", write, (*page).savePerson},
		{http.MethodPost, pathPerson + "/{id}/groups", member, (*page).joinGroup},
		{http.MethodGet, pathPerson + "/{id}/groups/{group}/leave", read, (*page).showLeaveGroup},
		{http.MethodPost, pathPerson + "/{id}/groups/{group}/leave", member, (*page).leaveGroup},
		{http.MethodGet, pathPerson + "/{id}/reset", read, (*page).showPersonReset},
		{http.MethodPost, pathPerson + "/{id}/reset", write, (*page).resetPerson},
		{http.MethodGet, pathPerson + "/{id}/deactivate", read, (*page).showPersonOff},
		{http.MethodPost, pathPerson + "/{id}/deactivate", write, (*page).deactivatePerson},
		{http.MethodPost, pathPerson + "/{id}/reactivate", write, (*page).reactivatePerson},
	}
}

func groupRoutes() []route {
	read, write := access.Admin("groups", access.Read), access.Admin("groups", access.Write)
	member := access.Admin("memberships", access.Write)
	return []route{
		{http.MethodGet, pathGroups, read, (*page).showGroups},
		{http.MethodGet, pathGroups + "/options", read, (*page).groupOptions},
		{http.MethodGet, pathGroups + "/new", read, (*page).showGroupNew},
		{http.MethodPost, pathGroups + "/new", write, (*page).createGroup},
		{http.MethodGet, pathGroups + "/{id}", read, (*page).showGroup},
		{http.MethodGet, pathGroups + "/{id}/rename", read, (*page).showGroupRename},
		{http.MethodPost, pathGroups + "/{id}/rename", write, (*page).renameGroup},
		{http.MethodGet, pathGroups + "/{id}/delete", read, (*page).showGroupDelete},
		{http.MethodPost, pathGroups + "/{id}/delete", write, (*page).deleteGroup},
		{http.MethodGet, pathGroups + "/{id}/add", read, (*page).showMemberAdd},
		{http.MethodPost, pathGroups + "/{id}/add", member, (*page).addMember},
		{http.MethodGet, pathGroups + "/{id}/members/{user}/remove", read, (*page).showMemberRemove},
		{http.MethodPost, pathGroups + "/{id}/members/{user}/remove", member, (*page).removeMember},
	}
}

// to returns a handler that redirects.
func to(path string) func(*page) error {
	return func(p *page) error { return p.redirect(path) }
}

func collectionRoutes() []route {
	read := access.Authenticated("collections", access.Read).ByCollection()
	write := access.Authenticated("collections", access.Write).ByCollection()
	out := []route{
		{http.MethodGet, pathCollections, read, to(pathRoot)},
		{http.MethodGet, pathTrash, read, (*page).showTrash},
		{http.MethodGet, pathTrash + "/restore", read, restoreDeed().ask},
		{http.MethodPost, pathTrash + "/restore", write, restoreDeed().act},
		{http.MethodGet, pathTrash + "/delete", read, deleteDeed().ask},
		{http.MethodPost, pathTrash + "/delete", write, deleteDeed().act},
		{http.MethodGet, "/collection-options", read, (*page).folderOptions},
		{http.MethodGet, pathCollections + "/{id}/edit", read, (*page).showCollectionEdit},
		{http.MethodPost, pathCollections + "/{id}/edit", write, (*page).saveCollection},
		{http.MethodGet, pathCollections + "/{id}/move", read, (*page).showCollectionMove},
		{http.MethodPost, pathCollections + "/{id}/move", write, (*page).moveCollection},
		{http.MethodGet, pathCollections + "/{id}/archive", read, (*page).showCollectionArchive},
		{http.MethodPost, pathCollections + "/{id}/archive", write, (*page).archiveCollection},
	}
	for _, at := range []string{pathRoot, pathCollections + "/{id}"} {
		out = append(out,
			route{http.MethodGet, at, read, (*page).showCollection},
			route{http.MethodGet, at + "/new", read, (*page).showCollectionNew},
			route{http.MethodPost, at + "/new", write, (*page).createCollection},
			route{http.MethodGet, at + "/permissions", access.Admin("collections", access.Read), (*page).showPermissions},
			route{http.MethodPost, at + "/permissions", access.Admin("collections", access.Write), (*page).savePermissions},
			route{http.MethodGet, at + "/archive-items", read, archiveDeed().ask},
			route{http.MethodPost, at + "/archive-items", write, archiveDeed().act},
			route{http.MethodGet, at + "/move-items", read, moveDeed().ask},
			route{http.MethodPost, at + "/move-items", write, moveDeed().act},
		)
	}
	return out
}

func permissionRoutes() []route {
	return []route{
		{http.MethodGet, "/admin/permissions", access.Admin("collections", access.Read), to(pathPermissions)},
		{http.MethodGet, pathPermissions, access.Admin("collections", access.Read), (*page).showMatrix},
		{http.MethodPost, pathPermissions, access.Admin("collections", access.Write), (*page).saveMatrix},
	}
}

func questionRoutes() []route {
	read := access.Authenticated("cards", access.Read).ByCollection()
	return append([]route{
		{http.MethodGet, "/question/{id}", read, (*page).showQuestion},
		{http.MethodGet, "/question/{id}/sql", read, (*page).showQuestionSQL},
	}, historyRoutes("/question/{id}/history", content.Card, "cards")...)
}

func dashboardRoutes() []route {
	read := access.Authenticated("dashboards", access.Read).ByCollection()
	return append([]route{
		{http.MethodGet, "/dashboard/{id}", read, (*page).showDashboard},
		{http.MethodGet, "/dashboard/{id}/dashcard/{dashcard}", read, (*page).showDashcard},
	}, historyRoutes("/dashboard/{id}/history", content.Dashboard, "dashboards")...)
}

func historyRoutes(at string, kind content.Kind, resource string) []route {
	read := access.Authenticated(resource, access.Read).ByCollection()
	write := access.Authenticated(resource, access.Write).ByCollection()
	return []route{
		{http.MethodGet, at, read, history(kind)},
		{http.MethodGet, at + "/{revision}/revert", read, askRevert(kind)},
		{http.MethodPost, at + "/{revision}/revert", write, revert(kind)},
	}
}
