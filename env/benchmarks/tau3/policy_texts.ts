/** Reads the policies of a τ³-bench domain: either a single text, or a main policy and a technical support manual. */

import type { BundleFiles } from "./bundle_files.ts";

/** A policy: the whole text, or its two parts. */
export type PolicyText =
  | { readonly policy: string }
  | { readonly mainPolicy: string; readonly techSupport: string };

/** The policies of a domain's agents. */
export interface PolicyTexts {
  readonly agent: PolicyText;
  /** The policy of a solo agent; `undefined` if the domain has none. */
  readonly solo: PolicyText | undefined;
}

/**
 * Reads the policies of a domain. A policy that consists of a single text is the same for every variant.
 * @param workflow Whether to use the manual in the form of a workflow.
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
