/**
 * For tests: the conformance suites of the three seams, a clock moved by hand, a gate that answers
 * as it is told, and a loopback server that records what reached the wire.
 *
 * @module
 */
export {
  type AdapterUnderTest,
  adapterCaseNames,
  adapterConformance,
  type EverydaySend,
  type Replies,
} from "./adapter";
export { type ManualClock, manualClock } from "./clock";
export { type ScriptedGate, scriptedGate, type Verdict } from "./gate";
export { closedEndpoint, headerOf, type RecordedRequest, type Recorder, type Reply, startRecorder } from "./recorder";
export { type OpenedStore, type StoreUnderTest, storeCaseNames, storeConformance, type TestRunner } from "./store";
