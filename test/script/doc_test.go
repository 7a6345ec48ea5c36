// Package script_test drives the command line of the built binary: the scripts
// in testdata say what is typed and what is seen. Beside the commands of
// testscript they have these:
//
//	refuse CODE latchkey ...      must end with this exit code, print nothing, and say why in one line
//	serve [FLAG ...]              start the server on a free port; sets URL and LISTEN; its log becomes server.log
//	stop                          SIGTERM; the server must end with exit code 0
//	http STATUS METHOD PATH [key=TEXT | session=ID] [JSON]
//	within TIME http ...          must come true in time
//	capture NAME                  keep the last standard output as a variable
//	link NAME                     keep the last part of the address that was printed
//	occupy                        take a free port; sets PORT
//	sql FILE STATEMENT            change an SQLite file
//	snapshot DIR, unchanged DIR   nothing below it changed in between
//	bound latchkey ...            run as somebody whom the permissions of files bind, also as root
package script_test
