/** The policies of a domain of τ³-bench: one text, or a main policy and a manual of technical support. */

import type { BundleFiles } from "./bundle_files.ts";

/** A policy: the whole text, or its two parts. */
export type PolicyText =
  | { readonly policy: string }
  | { readonly mainPolicy: string; readonly techSupport: string };

/** What agents are told. */
export interface PolicyTexts {
  readonly agent: PolicyText;
  /** For an agent that acts on its own; `undefined` where there is none. */
  readonly solo: PolicyText | undefined;
}

/**
 * Reads the policies. A policy that is one text is the same for each variant.
 * @param workflow Whether the manual is the one that is written as a workflow.
 */
export async function readPolicies(
  files: BundleFiles,
  workflow: boolean,
): Promise<PolicyTexts> {
  const whole = await files.find("policy.md");
  if (whole !== undefined) {
    const solo = await files.find("policy_solo.md");
    return {
      agent: { policy: whole.text },
      solo: solo === undefined ? undefined : { policy: solo.text },
    };
  }
  const manual = "tech_support_manual.md";
  const soloMain = await files.find("main_policy_solo.md");
  return {
    agent: await inParts(files, {
      main: (await files.first("main_policy.md", "policy.md")).text,
      manual: workflow ? "tech_support_workflow.md" : manual,
    }),
    solo: soloMain === undefined ? undefined : await inParts(files, {
      main: soloMain.text,
      manual: workflow ? "tech_support_workflow_solo.md" : manual,
    }),
  };
}

async function inParts(
  files: BundleFiles,
  { main, manual }: { main: string; manual: string },
): Promise<PolicyText> {
  const { text } = await files.first(manual);
  return { mainPolicy: main, techSupport: text };
}
