/**
 * Entry: brings every capture widget of the page to life. What each does is said by its `data-`
 * attributes; it tells the page through the events faceauth:preview, :challenge, :capture, :success
 * and :error. What is of no use without a script is hidden until there is one.
 */
import { startEnrolment } from "./enrol.js";
import { startLogin } from "./login.js";

const MODES = { enrol: startEnrolment, login: startLogin };

for (const each of document.querySelectorAll("[data-faceauth-scripted]")) each.hidden = false;
for (const root of document.querySelectorAll("[data-faceauth]")) {
  MODES[root.dataset.faceauth](root);
}
