import { createCpuPolicy } from "../../../train/cpu/policy.ts";
import { tokenModelContract } from "../../contract/token_model_contract.ts";
import { TOY } from "./_toy.ts";

tokenModelContract("CpuPolicy", async () => {
  const policy = await createCpuPolicy({ config: TOY, seed: 3, threads: 1 });
  return {
    model: policy,
    prompts: [[1, 2, 3], [9, 8, 7, 6, 5], [20]],
    vocabSize: TOY.vocab,
    stopId: 5,
    tolerance: 1e-4,
    [Symbol.asyncDispose]: () => policy[Symbol.asyncDispose](),
  };
});
