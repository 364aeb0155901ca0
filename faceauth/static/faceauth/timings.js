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
 * Return the stages of a login that is sent now, in seconds since the page was opened. Where no
 * challenge was passed, the steps are done with the pictures: now.
 * @returns {Record<string, number>}
 */
export function timings() {
  const found = Object.entries(FIELDS).map(([field, stage]) => [
    field,
    performance.getEntriesByName(`faceauth:${stage}`).at(-1)?.startTime,
  ]);
  const reached = found.filter(([, time]) => time !== undefined);
  const times = { steps: performance.now(), ...Object.fromEntries(reached) };
  for (const field of Object.keys(times)) times[field] = Math.round(times[field]) / 1000;
  return times;
}
