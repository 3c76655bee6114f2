"""What the tests of Azure's libraries for Python share."""
import pytest
from azure.core.exceptions import HttpResponseError


def failure(kind, call, *arguments, **options):
	"""The error's status, code and inner code, after a look at its class."""
	with pytest.raises(HttpResponseError) as caught:
		call(*arguments, **options)
	assert type(caught.value) is kind
	error = caught.value.error
	return caught.value.status_code, error.code, (error.innererror or {}).get("code")
