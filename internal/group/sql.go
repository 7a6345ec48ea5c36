package group

import (
	"database/sql"

	"latchkey/internal/db"
)

const selectGroups = "SELECT id, name, magic, entity_id, member_count, created_at, updated_at FROM permission_group"

func scanGroup(r db.Row) (Group, error) {
	var g Group
	var magic, entity sql.NullString
	err := r.Scan(&g.ID, &g.Name, &magic, &entity, &g.MemberCount, db.Time(&g.CreatedAt), db.Time(&g.UpdatedAt))
	g.Magic, g.EntityID = magic.String, entity.String
	return g, err
}

const selectMemberships = "SELECT id, group_id, user_id FROM membership"

func scanMembership(r db.Row) (Membership, error) {
	var m Membership
	err := r.Scan(&m.ID, &m.GroupID, &m.UserID)
	return m, err
}
