// What JavaScript adds to pages that work without it.
import { openDialogs } from "./dialog.js";
import { pickByTyping, sendOnce } from "./forms.js";
import { digestPasted } from "./paste.js";
import { offerCopies, guardSecrets } from "./copy.js";

openDialogs();
sendOnce();
pickByTyping();
offerCopies();
guardSecrets();
digestPasted();
