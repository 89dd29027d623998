import type { Reporter, TestCase, TestModule, TestRunEndReason, TestSuite } from 'vitest/node';

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Ends the run's output with what was skipped and why, and with one line that other programs read:
 * `tests: N passed, N failed, N skipped`. The figures are the runner's own. A suite that fails outside
 * its tests (it does not load, a hook throws) and an error that no test can be blamed for count as
 * one failed test each, so that the line never looks better than the exit status.
 */
export default class SummaryReporter implements Reporter {
  /** A run that never comes to its end (a set-up that throws) has failed. */
  #tally: Tally = { passed: 0, failed: 1, skipped: 0 };
  readonly #reasons = new Map<string, number>();

  onInit(): void {
    // After all that other reporters and the runner itself have to say. Writing is synchronous here.
    process.once('exit', () => this.#print());
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly unknown[],
    reason: TestRunEndReason,
  ): void {
    this.#tally = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    this.#reasons.clear();
    for (const module of modules) this.#countModule(module);
    // Interrupted, or no test at all: a failure that no module tells of.
    if (reason !== 'passed' && this.#tally.failed === 0) this.#tally.failed = 1;
  }

  #countModule(module: TestModule): void {
    if (module.errors().length > 0) this.#tally.failed++;
    for (const suite of module.children.allSuites()) if (suite.errors().length > 0) this.#tally.failed++;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') this.#tally.passed++;
      else if (result.state === 'failed') this.#tally.failed++;
      else {
        this.#tally.skipped++;
        const why = (result.state === 'skipped' && result.note) || whyNotRun(test);
        this.#reasons.set(why, (this.#reasons.get(why) ?? 0) + 1);
      }
    }
  }

  #print(): void {
    for (const [why, count] of this.#reasons) console.log(`${count} skipped: ${why}`);
    const { passed, failed, skipped } = this.#tally;
    console.log(`tests: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  }
}

/** The outermost suite that was skipped, or that failed before its tests, names the reason. */
function whyNotRun(test: TestCase): string {
  const around: (TestSuite | TestModule)[] = [];
  for (let at: TestCase | TestSuite = test; at.type !== ('module' as string); at = at.parent as TestSuite) {
    around.unshift(at.parent);
  }
  for (const part of around) {
    const name = part.type === 'module' ? part.relativeModuleId : part.name;
    if (part.errors().length > 0) return `${name} failed before its tests`;
    if (part.type === 'suite' && part.options.mode === 'skip') return name;
  }
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}
