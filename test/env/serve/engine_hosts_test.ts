import assert from "node:assert/strict";
import {
  canonicalHost,
  EngineHosts,
  engineOrigin,
  readEngineHost,
} from "../../../env/serve/engine_hosts.ts";

/** Checks, as the episode server does, whether the URL of an engine is valid and allowed. */
async function allows(
  url: string,
  listed: readonly string[] = [],
  { own = [], names = {} }: {
    own?: readonly string[];
    names?: Readonly<Record<string, readonly string[]>>;
  } = {},
): Promise<boolean> {
  const origin = engineOrigin(url);
  if (origin === null) return false;
  const hosts = new EngineHosts({
    hosts: listed.map((text) => readEngineHost(text)!),
    ownAddresses: () => own,
    lookup: (name) => {
      const found = names[name];
      return found === undefined
        ? Promise.reject(new Error("no such name"))
        : Promise.resolve(found);
    },
  });
  return await hosts.allows(origin);
}

Deno.test("engineOrigin() accepts only scheme, host and port", () => {
  assert.equal(engineOrigin("http://10.0.0.1:3100"), "http://10.0.0.1:3100");
  assert.equal(engineOrigin("https://GPU1:8443/"), "https://gpu1:8443");
  assert.equal(engineOrigin("http://[::1]:3100"), "http://[::1]:3100");
  for (
    const url of [
      "",
      "gpu1:3100",
      "//127.0.0.1",
      "http:127.0.0.1",
      "http:/127.0.0.1",
      "http:\\\\127.0.0.1",
      "http://127.0.0.1\\@evil.example",
      "ftp://127.0.0.1",
      "file:///etc/passwd",
      "data:,x",
      "unix:/run/engine.sock",
      "http+unix://run",
      "http://user@127.0.0.1",
      "http://user:pass@127.0.0.1",
      "http://@127.0.0.1",
      "http://127.0.0.1@10.0.0.1",
      "http://127.0.0.1?x=1",
      "http://127.0.0.1/?",
      "http://127.0.0.1#x",
      "http://127.0.0.1/#",
      "http://127.0.0.1/admin",
      "http://127.0.0.1//",
      "http://127.0.0.1/%2e%2e/x",
      " http://127.0.0.1",
      "http://127.0.0.1\n",
      "http://127.0.0.1\t:80",
      "http://",
      "http://a b",
      "http://127.0.0.1:99999",
      "http://[::1",
      `http://${"a".repeat(5000)}`,
    ]
  ) {
    assert.equal(engineOrigin(url), null, url);
  }
});

Deno.test("canonicalHost() resolves every spelling of an address", () => {
  for (
    const host of [
      "127.0.0.1",
      "2130706433",
      "0x7f000001",
      "0x7f.1",
      "0177.0.0.1",
      "127.1",
      "::ffff:127.0.0.1",
      "[::ffff:7f00:1]",
      "0:0:0:0:0:ffff:127.0.0.1",
    ]
  ) {
    assert.equal(canonicalHost(host), "127.0.0.1", host);
  }
  assert.equal(canonicalHost("[0:0:0:0:0:0:0:1]"), "::1");
  assert.equal(canonicalHost("GPU1."), "gpu1");
  assert.equal(canonicalHost("a/b"), null);
  assert.equal(canonicalHost("a:b:c"), null);
});

Deno.test("readEngineHost() reads hosts with and without a port", () => {
  assert.deepEqual(readEngineHost("gpu1"), { host: "gpu1" });
  assert.deepEqual(readEngineHost("gpu1:3100"), { host: "gpu1", port: 3100 });
  assert.deepEqual(readEngineHost("fd00::2"), { host: "fd00::2" });
  assert.deepEqual(readEngineHost("[fd00::2]:1"), { host: "fd00::2", port: 1 });
  for (
    const text of [
      "",
      "gpu1:",
      "gpu1:0",
      "gpu1:70000",
      "http://gpu1",
      "a/b",
      "[",
      "*",
      "u@h",
    ]
  ) {
    assert.equal(readEngineHost(text), null, text);
  }
});

Deno.test("EngineHosts allows loopback in every spelling, and no other host", async () => {
  for (
    const host of [
      "127.0.0.1",
      "127.9.9.9",
      "localhost",
      "LOCALHOST.",
      "[::1]",
      "2130706433",
      "0x7f.0.0.1",
      "[::ffff:127.0.0.1]",
    ]
  ) {
    assert.ok(await allows(`http://${host}:3100`), host);
  }
  for (
    const host of [
      "10.0.0.1",
      "167772161", // 10.0.0.1
      "0x0a.1",
      "[::ffff:10.0.0.1]",
      "[::ffff:a9fe:a9fe]", // 169.254.169.254
      "169.254.169.254",
      "0.0.0.0",
      "[::]",
      "[::127.0.0.1]",
      "[64:ff9b::7f00:1]",
      "[fe80::1]",
      "128.0.0.1",
      "127.0.0.1.evil.example",
      "localhost.evil.example",
      "evil-localhost",
      "metadata.google.internal",
    ]
  ) {
    assert.equal(await allows(`http://${host}:3100`), false, host);
  }
});

Deno.test("EngineHosts allows listed hosts at their listed port", async () => {
  assert.ok(await allows("http://10.0.0.11:9", ["10.0.0.11"]));
  assert.ok(await allows("http://167772171:9", ["10.0.0.11"]));
  assert.ok(await allows("http://10.0.0.11:9", ["0xa00000b"]));
  assert.ok(await allows("http://10.0.0.11:3100", ["10.0.0.11:3100"]));
  assert.ok(!await allows("http://10.0.0.11:3101", ["10.0.0.11:3100"]));
  assert.ok(await allows("http://10.0.0.11", ["10.0.0.11:80"]));
  assert.ok(await allows("https://10.0.0.11", ["10.0.0.11:443"]));
  assert.ok(!await allows("https://10.0.0.11", ["10.0.0.11:80"]));
  assert.ok(await allows("http://[fd00:0::2]:1", ["[fd00::2]:1"]));
  assert.ok(await allows("http://GPU1.:3100", ["gpu1"]));
  assert.ok(!await allows("http://gpu1.evil:3100", ["gpu1"]));
});

Deno.test("EngineHosts allows the addresses of this machine and of listed names, and looks up no other name", async () => {
  assert.ok(await allows("http://10.1.1.1:3100", [], { own: ["10.1.1.1"] }));
  assert.ok(
    await allows("http://[fd00::2]:3100", [], { own: ["fd00:0:0::2"] }),
  );
  const names = { gpu1: ["10.0.0.11", "fd00::b"], gpu2: ["10.0.0.12"] };
  assert.ok(await allows("http://10.0.0.11:1", ["gpu1"], { names }));
  assert.ok(await allows("http://[fd00::b]:1", ["gpu1"], { names }));
  assert.ok(!await allows("http://10.0.0.12:1", ["gpu1"], { names }));
  assert.ok(!await allows("http://10.0.0.11:1", ["gpu1:2"], { names }));
  assert.ok(!await allows("http://10.0.0.11:1", ["gone"], { names }));
  // gpu2 resolves to a listed host now, but may resolve to another address when the connection is made.
  assert.ok(!await allows("http://gpu2:1", ["10.0.0.12"], { names }));
});

Deno.test("EngineHosts resolves names again after a while, but not for every request", async () => {
  let [asked, at] = [0, 0];
  const hosts = new EngineHosts({
    hosts: [{ host: "gpu1" }],
    lookup: () => Promise.resolve([`10.0.0.${++asked}`]),
    now: () => at,
  });
  const allows = (host: string) => hosts.allows(`http://${host}:1`);
  assert.deepEqual(
    await Promise.all([allows("10.0.0.1"), allows("10.0.0.1")]),
    [true, true],
  );
  assert.equal(await allows("10.0.0.2"), false);
  assert.equal(asked, 1);
  at += 31_000;
  assert.equal(await allows("10.0.0.2"), true);
  assert.equal(await allows("10.0.0.1"), false);
});
