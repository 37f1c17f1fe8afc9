import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type EpisodeSpan,
  packSpans,
  SpanClock,
  unpackSpans,
} from "../../env/episode_spans.ts";

const spanLists = fc.array(fc.record({
  kind: fc.constantFrom("model", "user", "environment", "retries"),
  ms: fc.double({ min: 0, max: 5000, noNaN: true }),
}) as fc.Arbitrary<EpisodeSpan>);

const sum = (spans: readonly EpisodeSpan[], kind?: string) =>
  spans.filter((span) => kind === undefined || span.kind === kind)
    .reduce((total, { ms }) => total + ms, 0);

Deno.test("SpanClock.mark() attributes the time since the last mark to a kind, and merges equal kinds in a row", () => {
  let nowMs = 100;
  const clock = new SpanClock(() => nowMs, 90);
  clock.mark("user");
  clock.mark("model"); // no time has passed
  nowMs += 5;
  clock.mark("model");
  nowMs += 7;
  clock.mark("model");
  assert.deepEqual(clock.spans, [
    { kind: "user", ms: 10 },
    { kind: "model", ms: 12 },
  ]);
});

Deno.test("packSpans() keeps order and ends to half a millisecond, and unpackSpans() reads it", () => {
  assert.equal(
    packSpans([
      { kind: "user", ms: 812.2 },
      { kind: "environment", ms: 0.1 },
      { kind: "model", ms: 1204 },
    ]),
    "u812m1204",
  );
  fc.assert(fc.property(spanLists, (spans) => {
    const packed = unpackSpans(packSpans(spans));
    assert.ok(Math.abs(sum(packed) - sum(spans)) <= 0.5 + 1e-6);
    assert.deepEqual(packed, unpackSpans(packSpans(packed)));
    for (const kind of ["model", "user"]) {
      const off = Math.abs(sum(packed, kind) - sum(spans, kind));
      assert.ok(off <= spans.length, "at most one a span");
    }
  }));
});

Deno.test("unpackSpans() ignores spans with an unknown letter", () => {
  assert.deepEqual(unpackSpans("x3m5 z"), [{ kind: "model", ms: 5 }]);
  assert.deepEqual(unpackSpans(""), []);
});
