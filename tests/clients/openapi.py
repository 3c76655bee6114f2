"""The published descriptions of the API (schema/, their prose left out), and what can be made of them.

A description's definitions become JSON schemas that allow no member it does not name, and bodies
that have what it names, or have it wrong.
"""
import json
import re
from pathlib import Path

import jsonschema

FOLDER = Path(__file__).parent / "schema"
VERSIONS = sorted(folder.name for folder in FOLDER.iterdir())
NEWEST = max(VERSIONS, key=lambda version: ("-" in version, version))
REFERENCE = "#/definitions/"

# What the original's replies have and no description names, by definition.
UNNAMED = {
	"CertificateBundle": {"pending": {"properties": {"id": {"type": "string"}}}},
	"CertificateItem": {"subject": {"type": "string"}},
	"OrganizationDetails": {"zip": {"type": "integer", "readOnly": True}},
	"X509CertificateProperties": {"basic_constraints": {"properties": {"ca": {"type": "boolean"}}}},
}

# Forms of texts that are looked at.
FORMATS = jsonschema.FormatChecker(formats=())
for form, pattern in {"base64url": r"[\w-]*", "byte": r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}(==|[A-Za-z0-9+/]=))?"}.items():
	FORMATS.checks(form)(lambda value, pattern=pattern: re.fullmatch(pattern, str(value), re.ASCII) is not None)

# A value of another type, for each type.  What has none of these shapes is an object.
WRONG = {
	"string": (7, True, ["x"], {"x": "y"}),
	"integer": ("x", 1.5, 1e300, [1], {"x": 1}),
	"boolean": ("maybe", 7, [True], {"x": True}),
	"array": ("x", 7, True, {"x": "y"}, [7]),
	"object": ("x", 7, True, ["x"]),
}


class Operation:
	def __init__(self, document, method, path, description):
		self.document, self.method, self.path = document, method.upper(), path
		self.name = description["operationId"][0].upper() + description["operationId"][1:]
		self.statuses = {int(code): reply.get("schema") for code, reply in description["responses"].items()
		    if code != "default"}
		bodies = [each["schema"] for each in description["parameters"] if each.get("in") == "body"]
		self.queries = {each.get("name") for each in description["parameters"] if each.get("in") == "query"}
		self.body = document.flat(bodies[0]) if bodies else None

	def tells(self, status, path):
		"""Is there such a member in its reply?"""
		schema = self.statuses[status]
		for step in path:
			schema = self.document.flat(schema or {})
			schema = schema.get("items") if step == 0 else schema.get("properties", {}).get(step)
		return schema is not None

	def check(self, reply):
		"""The reply's status is one the description has, and its body is of the form that goes with it."""
		assert reply.status in self.statuses, f"{self.name}: {reply}"
		schema = self.statuses[reply.status]
		if schema is None:
			assert reply.body == b"", f"{self.name}: {reply}"
		else:
			self.document.validate(schema, reply.json)


class Document:
	"""One file: what one version of the API says of secrets, keys or certificates."""

	def __init__(self, version, collection):
		self.version, self.validators = version, {}
		description = self.read(collection)
		self.definitions = description["definitions"]
		self.strict = {name: self.close(each) for name, each in self.definitions.items()}
		self.operations = {}
		for path, methods in description["paths"].items():
			for method, each in methods.items():
				operation = Operation(self, method, path, each)
				self.operations[operation.name] = operation

	def read(self, collection):
		"""A file, with those definitions of other files that it refers to."""
		text = (FOLDER / self.version / f"{collection}.json").read_text()
		description = json.loads(re.sub(r"\w+\.json" + REFERENCE, REFERENCE, text))
		for other in set(re.findall(r"(\w+)\.json" + REFERENCE, text)):
			description["definitions"] = self.read(other)["definitions"] | description["definitions"]
		for name, members in UNNAMED.items():
			description["definitions"].get(name, {"properties": {}})["properties"] |= members
		return description

	def flat(self, schema):
		"""Without a reference on top, and with what it inherits."""
		while "$ref" in schema:
			schema = self.definitions[schema["$ref"].removeprefix(REFERENCE)]
		if "allOf" not in schema:
			return schema
		whole = {"type": "object", "properties": {}, "required": []}
		for part in [*map(self.flat, schema["allOf"]), schema]:
			whole["properties"] |= part.get("properties", {})
			whole["required"] += part.get("required", [])
		return whole

	def close(self, schema):
		"""As a JSON schema that allows nothing more than is named.

		Enumerations are left open, as the descriptions themselves have them (modelAsString), and
		so is which members are there.
		"""
		if "$ref" in schema:
			return schema
		schema = {name: value for name, value in self.flat(schema).items()
		    if name not in ("enum", "required", "readOnly")}
		if "properties" in schema:
			schema["properties"] = {name: self.close(each) for name, each in schema["properties"].items()}
			if "nextLink" in schema["properties"]: # null behind the last page, as it was recorded
				schema["properties"]["nextLink"] = {"type": ["string", "null"]}
			schema.setdefault("additionalProperties", False)
		if "items" in schema:
			schema["items"] = self.close(schema["items"])
		return schema

	def validate(self, schema, value):
		name = json.dumps(schema)
		if name not in self.validators:
			whole = {"definitions": self.strict, **self.close(schema)}
			self.validators[name] = jsonschema.Draft202012Validator(whole, format_checker=FORMATS)
		self.validators[name].validate(value)

	def type_of(self, schema):
		return self.flat(schema).get("type", "object")

	def wrong(self, schema, required, typed=False):
		"""Values that a member must not have; ${typed}: only for their types."""
		inner = self.flat(schema)
		items = self.flat(inner.get("items", {}))
		more = inner.get("additionalProperties") or {}
		yield from WRONG[self.type_of(schema)]
		if typed:
			return
		if "enum" in inner:
			yield "x"
		if "enum" in items:
			yield ["x"]
		if "minimum" in inner:
			yield inner["minimum"] - 1
		if "maximum" in inner:
			yield inner["maximum"] + 1
		if more.get("type") == "string":
			yield {"x": 7}
		if required:
			yield Absent

	def paths(self, schema, read_only=False, depth=5):
		"""Every member of a body, as (path, schema, is it required?); those of a list by its first item.

		Either what clients may say, or what they are only told.
		"""
		schema = self.flat(schema)
		if depth == 0:
			return
		for name, each in schema.get("properties", {}).items():
			if each.get("readOnly", False) == read_only:
				yield (name,), each, name in schema.get("required", ())
			if each.get("readOnly"):
				continue
			inner = self.flat(each)
			step = (name, 0) if inner.get("type") == "array" else (name,)
			for path, member, required in self.paths(inner.get("items", inner), read_only, depth - 1):
				yield step + path, member, required


def changed(body, path, value):
	"""A copy of ${body} with ${value} at ${path}; None when there is nothing to hold it.  Absent: take it out."""
	body = json.loads(json.dumps(body))
	place = body
	for step in path[:-1]:
		try:
			place = place[step]
		except (KeyError, IndexError):
			return None
	if not isinstance(place, dict):
		return None
	if value is Absent:
		if path[-1] not in place:
			return None
		del place[path[-1]]
	else:
		place[path[-1]] = value
	return body


def value_at(body, path):
	"""What is there, or None."""
	for step in path:
		try:
			body = body[step]
		except (KeyError, IndexError, TypeError):
			return None
	return body


class Absent:
	"""No value: the member is not there."""
