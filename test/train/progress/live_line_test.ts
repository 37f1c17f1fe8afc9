import assert from "node:assert/strict";
import {
  progressLine,
  progressText,
} from "../../../train/progress/live_line.ts";

/** Creates a stream that records what is written to it, with a clock that the test sets. */
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

Deno.test("progressLine() shows count, rate and remaining time at most ten times per second, and is cleared", () => {
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

Deno.test("progressLine() is cleared after the last item, before the script prints its result", () => {
  const seen = screen(true);
  using line = progressLine(2, { stream: seen.stream, now: () => seen.ms });
  line.step();
  assert.equal(seen.drawn.length, 1);
  line.step();
  assert.equal(seen.drawn.at(-1), "\r\x1b[K");
});

Deno.test("progressLine() prints a line every 30 seconds if stderr is not a terminal", () => {
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

Deno.test("progressText() shows no rate before any time has passed", () => {
  assert.equal(
    progressText({ what: "tasks", done: 1, of: 2, seconds: 0 }),
    "1/2 tasks · 0/s · ? left",
  );
});
