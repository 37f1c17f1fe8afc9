import assert from "node:assert/strict";
import {
  progressLine,
  progressText,
} from "../../../train/progress/live_line.ts";

/** A stream that keeps what is drawn on it, and a clock that is set by hand. */
function screen(isTerminal: boolean) {
  const drawn: string[] = [];
  return {
    drawn,
    ms: 0,
    stream: {
      isTerminal: () => isTerminal,
      writeSync(data: Uint8Array) {
        drawn.push(new TextDecoder().decode(data));
        return data.length;
      },
    },
  };
}

Deno.test("progressLine() says how many, how fast, how long, at most ten times a second, and is wiped", () => {
  const seen = screen(true);
  {
    using line = progressLine(1000, {
      stream: seen.stream,
      now: () => seen.ms,
    });
    for (let i = 0; i < 500; i++) {
      seen.ms += 2;
      line.step();
    }
  }
  assert.equal(seen.drawn.length, 10 + 1);
  assert.equal(
    seen.drawn[5],
    "\r\x1b[K251/1,000 episodes · 500/s · 1.5 s left",
  );
  assert.equal(seen.drawn.at(-1), "\r\x1b[K");
});

Deno.test("progressLine() is wiped with the last one, before the script prints what came of it", () => {
  const seen = screen(true);
  using line = progressLine(2, { stream: seen.stream, now: () => seen.ms });
  line.step();
  assert.equal(seen.drawn.length, 1);
  line.step();
  assert.equal(seen.drawn.at(-1), "\r\x1b[K");
});

Deno.test("progressLine() prints a line every 30 seconds where stderr is no terminal", () => {
  const seen = screen(false);
  {
    using line = progressLine(1000, {
      stream: seen.stream,
      now: () => seen.ms,
    });
    for (let i = 0; i < 700; i++) {
      seen.ms += 100;
      line.step();
    }
  }
  assert.deepEqual(seen.drawn, [
    "300/1,000 episodes · 10/s · 1 min 10 s left\n",
    "600/1,000 episodes · 10/s · 40 s left\n",
  ]);
});

Deno.test("progressText() of a moment without a duration promises nothing", () => {
  assert.equal(
    progressText({ what: "tasks", done: 1, of: 2, seconds: 0 }),
    "1/2 tasks · 0/s · ? left",
  );
});
