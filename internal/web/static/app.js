// What JavaScript adds to pages that work without it.
import { openDialogs, returnFocus } from "./dialog.js";
import { pickByTyping, sendOnce, showMistake } from "./forms.js";
import { digestPasted } from "./paste.js";
import { chooseRows } from "./select.js";
import { keepChanges } from "./changes.js";
import { placeCells } from "./grid.js";
import { offerCopies, guardSecrets } from "./copy.js";

openDialogs();
returnFocus();
showMistake();
sendOnce();
pickByTyping();
chooseRows();
keepChanges();
placeCells();
offerCopies();
guardSecrets();
digestPasted();
