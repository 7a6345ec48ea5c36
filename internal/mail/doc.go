// Package mail sends e-mail by SMTP.
//
// Owns: the connection to the mail server, the queue of messages that wait to
// be sent, and the texts of the messages. Does not own: who gets a message and
// when (people), the links inside (people), or where the server is configured
// (config).
package mail
