// What JavaScript adds to pages that work without it.
import { openDialogs } from "./dialog.js";
import { pickByTyping, sendOnce, showMistake } from "./forms.js";
import { digestPasted } from "./paste.js";
import { offerCopies, guardSecrets } from "./copy.js";

openDialogs();
showMistake();
sendOnce();
pickByTyping();
offerCopies();
guardSecrets();
digestPasted();
