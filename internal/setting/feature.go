package setting

// Features returns the features that Metabase sells, by the names that its
// clients look for, all off. What Latchkey gives of them needs no licence.
func Features() map[string]bool {
	out := map[string]bool{}
	for _, name := range featureNames() {
		out[name] = false
	}
	return out
}

func featureNames() []string {
	return []string{
		"admin_security_center", "advanced_permissions", "ai_controls", "ai_entity_analysis", "ai_sql_fixer",
		"ai_sql_generation", "attached_dwh", "audit_app", "cache_granular_controls", "cache_preemptive",
		"cloud_custom_smtp", "collection_cleanup", "config_text_file", "content_translation",
		"content_verification", "custom-viz", "custom-viz-available", "dashboard_subscription_filters",
		"data-apps", "data-complexity-score", "data_studio", "database_auth_providers", "database_routing",
		"dependencies", "development_mode", "disable_password_login", "email_allow_list",
		"email_restrict_recipients", "embedding", "embedding_sdk", "embedding_simple", "etl_connections",
		"etl_connections_pg", "hosting", "library", "library_retrieval", "metabase-ai-managed", "metabot-v3",
		"metabot_v3", "multi-factor-auth", "offer-metabase-ai-managed", "official_collections",
		"query_reference_validation", "remote_sync", "sandboxes", "schema-viewer", "scim", "semantic_search",
		"serialization", "session-management", "session_timeout_config", "snippet_collections", "sso_google",
		"sso_jwt", "sso_ldap", "sso_oidc", "sso_saml", "support-users", "table_data_editing", "tenants",
		"transforms", "transforms-basic", "transforms-python", "upload_management", "whitelabel", "workspaces",
		"writable_connection",
	}
}
