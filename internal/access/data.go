package access

// Data decides whether who may read the data of a connected database and run
// queries on it. Every signed-in principal may read every database; a key that
// is bound to single databases reads those alone. It returns Unauthenticated
// or Forbidden.
func Data(who *Principal, databaseID int64) error {
	if who == nil {
		return Unauthenticated()
	}
	if !Sees(who, KindDatabases, databaseID) {
		return Elsewhere(KindDatabases)
	}
	return nil
}
