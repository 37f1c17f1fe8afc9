import assert from "node:assert/strict";
import { dataSchema } from "../../../train/config/config_sections.ts";
import { dataAt } from "../../../train/config/open_dataset.ts";

const DIRS = { tauBench: "one", tau3Bench: "three" };

Deno.test("dataAt() sets each benchmark's directory, and keeps the config's if none is given", () => {
  const at = (source: string, dirs: Parameters<typeof dataAt>[1]) =>
    dataAt(dataSchema.parse({ source, directory: "recorded" }), dirs).directory;
  assert.equal(at("tau-bench", DIRS), "one");
  assert.equal(at("tau3-bench", DIRS), "three");
  assert.equal(at("tau3-bench", { tauBench: "one" }), "recorded");
  assert.equal(at("tau-bench", { tau3Bench: "three" }), "recorded");
});
