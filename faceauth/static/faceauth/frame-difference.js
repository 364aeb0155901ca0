// The size that frames are reduced to: small enough for the noise of a camera to average out.
const WIDTH = 32;
const HEIGHT = 24;

/** Measures how much each frame differs from the one before. */
export class FrameDifference {
  #context;
  #before = null;

  constructor() {
    const size = { width: WIDTH, height: HEIGHT };
    const canvas = Object.assign(document.createElement("canvas"), size);
    this.#context = canvas.getContext("2d", { willReadFrequently: true });
  }

  /**
   * Return how much a frame differs from the one before.
   * @param {CanvasImageSource} frame
   * @returns {number} in levels of green, 0 to 255; 0 for the first frame
   */
  next(frame) {
    this.#context.drawImage(frame, 0, 0, WIDTH, HEIGHT);
    const { data } = this.#context.getImageData(0, 0, WIDTH, HEIGHT);
    const levels = Array.from({ length: WIDTH * HEIGHT }, (_, i) => data[4 * i + 1]);
    const before = this.#before ?? levels;
    this.#before = levels;
    return meanDifference(before, levels);
  }
}

/**
 * Return the mean difference of two pictures. A picture that is lighter or darker as a whole does
 * not differ: cameras adapt their exposure.
 * @param {number[]} before levels, one per pixel
 * @param {number[]} after as many
 * @returns {number} in levels
 */
export function meanDifference(before, after) {
  const differences = after.map((level, i) => level - before[i]);
  const brighter = mean(differences);
  return mean(differences.map((each) => Math.abs(each - brighter)));
}

function mean(numbers) {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}
