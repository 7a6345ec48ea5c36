// Package secrets tests that secrets stay secret: a whole life of an instance
// runs with passwords, keys, sessions, links and peppers that are known to the
// test, at the most talkative level of the log and with failures inside. Then
// everything that was written anywhere is searched for them: the log, every
// answer that is not the one place to show a secret, metrics and the export of
// the audit log among them, the output of commands, the database as text and as
// bytes, and mail.
package secrets
