// The lab's engine as the tests see it: its API, asked directly, and a socket in front of it that counts and can be taken away.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One engine of the lab, by its name there. */
export function labEngine(name) {
  const file = process.env.SILIDOCK_LAB;
  if (!file) throw new Error("SILIDOCK_LAB is not set: start this through tests/desktop/run.sh");
  const engine = JSON.parse(readFileSync(file, "utf8"))[name];
  if (engine === undefined) throw new Error(`the lab of ${file} has no engine ${name}`);
  return new Engine(engine);
}

export class Engine {
  constructor({ endpoint, project, platform }) {
    this.endpoint = endpoint;
    this.project = project;
    this.platform = platform;
    this.socket = endpoint.replace(/^unix:\/\//, "");
  }

  /** Asks the engine's API. Fails on any answer but a good one. */
  async ask(method, path, body) {
    const content = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((done, failed) => {
      const headers = content === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(content) };
      const asked = request({ socketPath: this.socket, method, path, headers }, (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (part) => (text += part));
        answer.on("end", () => {
          if (answer.statusCode >= 300) failed(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
          else done(text === "" ? null : JSON.parse(text));
        });
      });
      asked.on("error", failed);
      asked.end(content);
    });
  }

  containers() {
    return this.ask("GET", "/containers/json?all=1");
  }

  images() {
    return this.ask("GET", "/images/json?all=0");
  }

  /** Counts what the engine tells of itself from now on, until the function that ends it is called. */
  async listen() {
    const heard = { count: 0, end: () => asked.destroy() };
    const asked = request({ socketPath: this.socket, path: "/events" });
    await new Promise((done, failed) => {
      asked.on("error", (error) => (asked.destroyed ? undefined : failed(error)));
      asked.on("response", (answer) => {
        answer.on("data", () => (heard.count += 1));
        answer.on("error", () => undefined);
        done();
      });
      asked.end();
    });
    return heard;
  }

  /** Starts a container that sleeps; gives the function that removes it. */
  async start(name, image, labels = {}) {
    const { Id } = await this.ask("POST", `/containers/create?name=${encodeURIComponent(name)}`, {
      Image: image,
      Entrypoint: [],
      Cmd: ["/bin/busybox", "sleep", "600"],
      Labels: labels,
      // The first process of a container hears no SIGTERM; without this each stop waits ten seconds for it.
      StopSignal: "SIGKILL",
      HostConfig: { NetworkMode: "none", Init: false },
    });
    await this.ask("POST", `/containers/${Id}/start`);
    return () => this.ask("DELETE", `/containers/${Id}?force=1`);
  }

  /** Gives an image another name; gives the function that takes it off. */
  async tag(image, repository, tag) {
    await this.ask("POST", `/images/${encodeURIComponent(image)}/tag?repo=${encodeURIComponent(repository)}&tag=${encodeURIComponent(tag)}`);
    return () => this.ask("DELETE", `/images/${encodeURIComponent(`${repository}:${tag}`)}`);
  }
}

/** A socket in front of an engine's. */
export class Front {
  constructor(engine) {
    this.engine = engine;
    this.folder = mkdtempSync(join(tmpdir(), "silidock-front-"));
    this.socket = join(this.folder, "docker.sock");
    this.endpoint = `unix://${this.socket}`;
    this.asked = 0;
    this.open = new Set();
  }

  /** Lets calls through from now on, and counts what is asked. */
  async up() {
    this.server = createServer((near) => {
      const far = connect(this.engine.socket);
      this.open.add(near).add(far);
      near.on("data", () => (this.asked += 1));
      near.pipe(far).pipe(near);
      for (const [end, other] of [[near, far], [far, near]]) {
        end.on("error", () => other.destroy());
        end.on("close", () => {
          this.open.delete(end);
          other.destroy();
        });
      }
    });
    await new Promise((done) => this.server.listen(this.socket, done));
  }

  /** The engine is gone: the socket and every connection with it. */
  async down() {
    if (this.server === undefined) return;
    const closed = new Promise((done) => this.server.close(done));
    for (const end of this.open) end.destroy();
    await closed;
    this.server = undefined;
  }

  async end() {
    await this.down();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
