// What a picture is brought to: small enough for the noise of a camera to cancel itself out.
const WIDTH = 32;
const HEIGHT = 24;

/** Sees how much pictures change from one to the next. */
export class FrameDifference {
  #context;
  #before = null;

  constructor() {
    const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
    this.#context = canvas.getContext("2d", { willReadFrequently: true });
  }

  /**
   * @param {CanvasImageSource} picture the next
   * @returns {number} how much it differs from the one before, in levels of green; 0 for the first.
   *   Lighter or darker as a whole is no difference: cameras adapt.
   */
  to(picture) {
    this.#context.drawImage(picture, 0, 0, WIDTH, HEIGHT);
    const { data } = this.#context.getImageData(0, 0, WIDTH, HEIGHT);
    const greens = Array.from({ length: WIDTH * HEIGHT }, (_, i) => data[4 * i + 1]);
    const before = this.#before ?? greens;
    this.#before = greens;
    const differences = greens.map((each, i) => each - before[i]);
    const all = mean(differences);
    return mean(differences.map((each) => Math.abs(each - all)));
  }
}

function mean(numbers) {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}
