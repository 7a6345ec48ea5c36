// Package apikey is API keys: their text, how it is stored and checked, and
// their life.
//
// Owns: the tables api_key and pepper, the format, the MAC, the verifier.
// Does not own: the user behind a key (people), its group (group), or what the
// key may do (access).
package apikey
