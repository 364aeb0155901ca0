/** When the stages of a login were reached, as marks that the browser's own tools show as well. */

// The fields in which the site receives them.
const FIELDS = { camera: "camera", face: "face", steps: "passed" };

/**
 * Mark a stage as reached now: camera, face, step, passed or answer.
 * @param {string} stage
 */
export function mark(stage) {
  performance.mark(`faceauth:${stage}`);
}

/**
 * Return the stages reached so far, in seconds since the page was opened.
 * @returns {Record<string, number>}
 */
export function timings() {
  const found = Object.entries(FIELDS).map(([field, stage]) => [
    field,
    performance.getEntriesByName(`faceauth:${stage}`).at(-1)?.startTime,
  ]);
  const reached = found.filter(([, time]) => time !== undefined);
  return Object.fromEntries(reached.map(([field, time]) => [field, Math.round(time) / 1000]));
}
