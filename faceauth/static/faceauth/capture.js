/**
 * Entry point: start every capture widget of the page. The `data-` attributes of a widget say what
 * it does; it dispatches the events faceauth:preview, :challenge, :capture, :success and :error.
 * Elements that are of no use without a script are hidden until this one runs.
 */
import { startEnrolment } from "./enrol.js";
import { startLogin } from "./login.js";

const MODES = { enrol: startEnrolment, login: startLogin };

for (const each of document.querySelectorAll("[data-faceauth-scripted]")) each.hidden = false;
for (const root of document.querySelectorAll("[data-faceauth]")) {
  MODES[root.dataset.faceauth](root);
}
