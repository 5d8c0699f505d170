/** What only Node can do: 'efikit/node'. */
export { ConsoleInput, noInput } from './host/console-input.js';
export { ConsoleOutput, OutputError } from './host/console-output.js';
export { loadProcessorArtifacts } from './host/processor-artifacts.js';
export { runMachine, type InputSource, type RunnableMachine, type RunOptions } from './host/run-loop.js';
