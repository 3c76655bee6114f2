// Runs jobs one after another; prints a line of JSON for each: its name, and the error if it failed.
import assert from "node:assert/strict";

export async function run(jobs) {
	for (const [name, job] of Object.entries(jobs)) {
		let error = null;
		try {
			await job();
		} catch (caught) {
			error = String(caught?.stack ?? caught);
		}
		console.log(JSON.stringify({ name, error }));
	}
}

// The promise is refused with this status and code.
export const fails = (promise, statusCode, code) =>
	assert.rejects(promise, (error) => {
		assert.equal(error.statusCode, statusCode, error.message);
		assert.equal(error.code, code);
		return true;
	});
