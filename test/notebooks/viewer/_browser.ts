/** Starts a viewer and opens its page in a browser, for tests. */

import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import {
  viewerApp,
  type ViewerAppOptions,
} from "../../../notebooks/viewer/app.ts";
import { diagnosisFindings } from "../../../notebooks/viewer/diagnosis_finder.ts";
import { Library } from "../../../notebooks/viewer/library.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The path of the Chromium browser; `undefined` if none is installed. */
export const CHROMIUM: string | undefined = found();

function found(): string | undefined {
  const named = Deno.env.get("TAULAB_TEST_CHROMIUM") ?? "/usr/bin/chromium";
  try {
    return Deno.statSync(named).isFile ? named : undefined;
  } catch {
    return undefined;
  }
}

/** A page that is open in the browser. Disposing of it closes the page. */
export interface Looked extends AsyncDisposable {
  readonly page: Page;
  /**
   * Errors on the page, including violations of its security policy, and dialogs. They do not fail the test by
   * themselves.
   */
  readonly complaints: string[];
  /** The URLs that the page has requested. */
  readonly asked: string[];
}

/** Options for opening a page. */
export interface LookOptions {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: "light" | "dark";
}

/** The browser that all tests in this process share. Each test has isolated pages. */
let launched: Promise<Browser> | undefined;
let home: string | undefined;

async function launch(): Promise<Browser> {
  // Loaded only if there is a browser, since loading it requires a permission.
  const { chromium } = await import("playwright-core");
  home = await Deno.makeTempDir();
  return await chromium.launch({
    executablePath: CHROMIUM!,
    args: FLAGS,
    env: { ...Deno.env.toObject(), HOME: home },
  });
}

Deno.test.afterAll(async () => {
  await (await launched)?.close();
  if (home !== undefined) await Deno.remove(home, { recursive: true });
});

/** Registers a test that runs in the browser. It is skipped if no browser is installed. */
export function browserTest(
  name: string,
  body: (open: (options?: LookOptions) => Promise<Looked>) => Promise<void>,
): void {
  Deno.test({
    name: `${name} (needs Chromium)`,
    ignore: CHROMIUM === undefined,
    // The browser outlives the test.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const browser = await (launched ??= launch());
      await body((options) => look(browser, options));
    },
  });
}

async function look(
  browser: Browser,
  { width = 1280, height = 800, scheme = "light" }: LookOptions = {},
): Promise<Looked> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  const asked: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => asked.push(request.url()));
  return {
    page,
    complaints,
    asked,
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** A viewer that listens on a free port. */
export interface Viewing extends AsyncDisposable {
  /** The URL of the viewer: `http://127.0.0.1:PORT`. */
  readonly url: string;
}

/** Serves the runs under `root`, or only the named runs. */
export async function serveViewer(
  root: string,
  { named = [], ...options }:
    & Partial<Omit<ViewerAppOptions, "library">>
    & { named?: readonly string[]; tauBench?: string } = {},
): Promise<Viewing> {
  const library = await Library.open({
    named,
    root,
    find: diagnosisFindings,
    tauBench: options.tauBench,
  });
  const app = viewerApp({ library, version: "test", ...options });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    app.fetch,
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      library[Symbol.dispose]();
    },
  };
}

/** Saves a screenshot of the page if `TAULAB_TEST_SCREENSHOTS` names a directory. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  const dir = Deno.env.get("TAULAB_TEST_SCREENSHOTS");
  if (!dir) return;
  await page.screenshot({ path: join(dir, `${name}.png`), fullPage: true });
}
