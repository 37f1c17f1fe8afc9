import assert from "node:assert/strict";
import fc from "fast-check";
import {
  firstSampled,
  idsOf,
  restOf,
  type Trajectory,
  TrajectoryBuilder,
} from "../../../env/tokens/trajectory.ts";

const ids = fc.array(fc.nat(100_000), { maxLength: 8 });
const append = fc.oneof(
  ids.map((ids) => ({ kind: "context" as const, ids })),
  ids.chain((ids) =>
    fc.array(fc.double({ min: -30, max: 0, noNaN: true }), {
      minLength: ids.length,
      maxLength: ids.length,
    }).map((logprobs) => ({ kind: "sampled" as const, ids, logprobs }))
  ),
);

Deno.test("TrajectoryBuilder concatenates its appends, with mask 1 exactly on sampled ids", () => {
  fc.assert(fc.property(fc.array(append), (appends) => {
    const builder = new TrajectoryBuilder();
    for (const part of appends) {
      if (part.kind === "context") builder.appendContext(part.ids);
      else builder.appendSampled(part.ids, part.logprobs);
    }
    const built = builder.build();
    assert.deepEqual(built.ids, appends.flatMap((part) => part.ids));
    assert.deepEqual(
      built.lossMask,
      appends.flatMap((part) =>
        part.ids.map(() => part.kind === "sampled" ? 1 : 0)
      ),
    );
    assert.deepEqual(
      built.logprobs,
      appends.flatMap((part) =>
        part.kind === "sampled" ? part.logprobs : part.ids.map(() => 0)
      ),
    );
  }));
});

Deno.test("TrajectoryBuilder rejects invalid lengths and values without appending anything", () => {
  const builder = new TrajectoryBuilder();
  builder.appendContext([1]);
  for (
    const wrong of [
      () => builder.appendSampled([1, 2], [-1]),
      () => builder.appendSampled([1], [0.5]),
      () => builder.appendSampled([1], [NaN]),
      () => builder.appendSampled([1], [-Infinity]),
      () => builder.appendSampled([2, -1], [-1, -1]),
      () => builder.appendContext([2, 1.5]),
    ]
  ) {
    assert.throws(wrong, RangeError);
  }
  assert.deepEqual(builder.build().ids, [1]);
});

Deno.test("firstSampled(), idsOf() and restOf() agree with the lists, built or not", () => {
  fc.assert(fc.property(fc.array(append), fc.nat(20), ids, (all, at, later) => {
    const builder = new TrajectoryBuilder();
    for (const part of all) {
      if (part.kind === "context") builder.appendContext(part.ids);
      else builder.appendSampled(part.ids, part.logprobs);
    }
    const built = builder.build();
    const plain: Trajectory = { ...builder.build() };
    const from = Math.min(at, plain.ids.length);
    assert.deepEqual(idsOf(built), plain.ids);
    builder.appendSampled(later, later.map(() => -1));
    for (const one of [built, plain]) {
      assert.deepEqual(idsOf(one), plain.ids);
      assert.equal(firstSampled(one), plain.lossMask.indexOf(1));
      assert.deepEqual(restOf(one, from), {
        lossMask: plain.lossMask.slice(from),
        logprobs: plain.logprobs.slice(from),
      });
    }
    assert.deepEqual(built, plain);
  }));
});

Deno.test("TrajectoryBuilder.build() returns plain data, for JSON and other threads", () => {
  const builder = new TrajectoryBuilder();
  builder.appendContext([4]);
  builder.appendSampled([5], [-0.5]);
  const plain = { ids: [4, 5], lossMask: [0, 1], logprobs: [0, -0.5] };
  assert.deepEqual(structuredClone(builder.build()), plain);
  assert.deepEqual(JSON.parse(JSON.stringify(builder.build())), plain);
});

Deno.test("TrajectoryBuilder.build() returns a copy", () => {
  const builder = new TrajectoryBuilder();
  builder.appendSampled([5], [-0.5]);
  const built = builder.build();
  builder.appendContext([6]);
  assert.deepEqual(built.ids, [5]);
  assert.equal(builder.last, 6);
});
