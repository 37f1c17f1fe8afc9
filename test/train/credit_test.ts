import assert from "node:assert/strict";
import fc from "fast-check";
import { ADVANTAGE_NAMES, advantages } from "../../train/advantage.ts";
import {
  CREDIT_NAMES,
  type CreditedEpisode,
  tokenAdvantages,
  turnAdvantages,
} from "../../train/credit.ts";

const reward = fc.integer({ min: 0, max: 4 });
const group = fc.array(
  fc.record({ reward, states: fc.array(fc.nat(5), { maxLength: 6 }) }),
  { minLength: 1, maxLength: 8 },
);
const options = fc.record({
  credit: fc.constantFrom(...CREDIT_NAMES),
  advantage: fc.constantFrom(...ADVANTAGE_NAMES),
  creditWeight: fc.constantFrom(0, 0.5, 1, 3),
});

/**
 * Returns the state and the credit of each turn. The credit is the turn's advantage minus the advantage of its episode.
 */
function added(
  episodes: readonly CreditedEpisode[],
  how: Parameters<typeof turnAdvantages>[1],
) {
  const whole = advantages(episodes.map(({ reward }) => reward), how.advantage);
  return turnAdvantages(episodes, how).flatMap((turns, i) =>
    turns.map((value, k) => ({
      state: episodes[i]!.states[k]!,
      value: value - whole[i]!,
    }))
  );
}

function isZero(value: number) {
  assert.ok(Math.abs(value) < 1e-9, `${value}`);
}

Deno.test("turnAdvantages() with gigpo add credits that sum to zero over the turns of a state", () => {
  fc.assert(fc.property(group, options, (episodes, how) => {
    const turns = added(episodes, { ...how, credit: "gigpo" });
    for (const same of Map.groupBy(turns, ({ state }) => state).values()) {
      isZero(same.reduce((sum, { value }) => sum + value, 0));
    }
  }));
});

Deno.test("turnAdvantages() with vineppo add credits that sum to the reward minus the first state's value", () => {
  fc.assert(fc.property(group, (episodes) => {
    const begun = episodes.map(({ reward, states }) => ({
      reward,
      states: [9, ...states],
    }));
    const mean = episodes.reduce((sum, { reward }) => sum + reward, 0) /
      episodes.length;
    const how = {
      credit: "vineppo",
      advantage: "dr-grpo",
      creditWeight: 1,
    } as const;
    turnAdvantages(begun, how).forEach((turns, i) => {
      const { reward } = begun[i]!;
      const whole = turns.length * (reward - mean);
      const total = turns.reduce((sum, value) => sum + value, 0);
      isZero(total - whole - (reward - mean));
    });
  }));
});

Deno.test("turnAdvantages() with vineppo give no credit to a turn after which all episodes share a state", () => {
  const how = {
    credit: "vineppo",
    advantage: "dr-grpo",
    creditWeight: 1,
  } as const;
  const episodes = [
    { reward: 1, states: [0, 1, 2] },
    { reward: 0, states: [0, 1, 3] },
    { reward: 0, states: [0, 1, 3] },
    { reward: 1, states: [0, 1, 3] },
  ];
  assert.deepEqual(turnAdvantages(episodes, how), [
    [0.5, 1, 0.5],
    [-0.5, -0.5 + (1 / 3 - 1 / 2), -0.5 - 1 / 3],
    [-0.5, -0.5 + (1 / 3 - 1 / 2), -0.5 - 1 / 3],
    [0.5, 0.5 + (1 / 3 - 1 / 2), 0.5 + (1 - 1 / 3)],
  ]);
});

Deno.test("turnAdvantages() equal the episode's if no state is shared, if credit has weight 0, and with credit `episode`", () => {
  fc.assert(fc.property(group, options, (episodes, how) => {
    let next = 0;
    const alone = episodes.map(({ reward, states }) => ({
      reward,
      states: states.map(() => next++),
    }));
    for (const value of added(alone, how)) isZero(value.value);
    for (const value of added(episodes, { ...how, creditWeight: 0 })) {
      isZero(value.value);
    }
    for (const value of added(episodes, { ...how, credit: "episode" })) {
      isZero(value.value);
    }
  }));
});

Deno.test("turnAdvantages() do not depend on the order of episodes or the numbers of states", () => {
  fc.assert(fc.property(group, options, fc.nat(), (episodes, how, by) => {
    const turn = by % episodes.length;
    const rotate = <T>(all: readonly T[]) => [
      ...all.slice(turn),
      ...all.slice(0, turn),
    ];
    const other = rotate(episodes).map(({ reward, states }) => ({
      reward,
      states: states.map((state) => 100 - state),
    }));
    const expected = rotate(turnAdvantages(episodes, how));
    turnAdvantages(other, how).forEach((turns, i) => {
      assert.equal(turns.length, expected[i]!.length);
      turns.forEach((value, k) => isZero(value - expected[i]![k]!));
    });
  }));
});

Deno.test("turnAdvantages() are zeros if all rewards are equal", () => {
  fc.assert(fc.property(group, options, reward, (episodes, how, reward) => {
    const agreed = episodes.map(({ states }) => ({ reward, states }));
    turnAdvantages(agreed, how).flat().forEach(isZero);
  }));
});

Deno.test("tokenAdvantages() have the turn's advantage at each sampled token and 0 elsewhere", () => {
  const trajectory = fc.array(
    fc.record({ id: fc.nat(2), sampled: fc.boolean() }),
    { maxLength: 12 },
  ).map((tokens) => ({
    ids: tokens.map(({ id }) => id),
    lossMask: tokens.map(({ sampled }) => sampled ? 1 as const : 0 as const),
    logprobs: tokens.map(() => 0),
  }));
  const episodes = fc.array(
    fc.record({ reward, trajectory: fc.option(trajectory) }),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(fc.property(episodes, options, (episodes, how) => {
    const rows = tokenAdvantages(episodes, how);
    /**
     * The expected states, computed from their definition: all tokens before a turn, with each of the policy's own
     * answers replaced by `…`.
     */
    const said = episodes.map(({ trajectory }) =>
      (trajectory?.ids ?? []).map((_, t) => {
        const { ids, lossMask } = trajectory!;
        return JSON.stringify(
          ids.slice(0, t).map((id, k) => lossMask[k] === 1 ? "…" : id),
        ).replaceAll(/("…",?)+/g, "…");
      })
    );
    const names = [...new Set(said.flat())];
    const begins = episodes.map(({ trajectory }) =>
      (trajectory?.lossMask ?? []).flatMap((mask, t, all) =>
        mask === 1 && all[t - 1] !== 1 ? [t] : []
      )
    );
    const turns = turnAdvantages(
      episodes.map(({ reward }, i) => ({
        reward,
        states: begins[i]!.map((t) => names.indexOf(said[i]![t]!)),
      })),
      how,
    );
    episodes.forEach(({ trajectory }, i) => {
      let turn = -1;
      const expected = (trajectory?.lossMask ?? []).map((mask, t) => {
        if (begins[i]!.includes(t)) turn++;
        return mask === 1 ? turns[i]![turn]! : 0;
      });
      assert.deepEqual(rows[i], expected);
    });
  }));
});
