"""The API's own documentation, from our own origin: the OpenAPI file, and a page that is made of it."""

from __future__ import annotations

import json
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from tallywatt.customers.access import ALL_SCOPES
from tallywatt.entrypoints.http.doors import OPEN, Reader, scope_of
from tallywatt.entrypoints.http.once import KEY_HEADER
from tallywatt.entrypoints.http.problems import MEDIA_TYPE
from tallywatt.entrypoints.http.shapes import Problem
from tallywatt.entrypoints.http.telling import as_json
from tallywatt.entrypoints.pages.render import page
from tallywatt.entrypoints.pages.words import LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fastapi import FastAPI, Response
    from starlette.routing import BaseRoute

_WRITES = ("post", "put", "delete", "patch")


router = APIRouter()


def install_reference(app: FastAPI, told: Sequence[BaseRoute]) -> None:
    """Let the app tell of these routes."""
    # Whoever asks the framework gets the same file, and not one of its own making that would then be kept.
    setattr(app, "openapi", partial(openapi, app, told))  # noqa: B010  # the documented way; an assignment is refused by mypy


def openapi(app: FastAPI, told: Sequence[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI 3.1 file, with what every route has in common."""
    if app.openapi_schema is None:
        made = _generated(app, told)
        made["components"].setdefault("securitySchemes", {}).update(_SCHEMES)
        made["components"]["schemas"]["Problem"] = Problem.model_json_schema(mode="serialization")
        routes = {(method.lower(), route.path): route for route in leaves(told) for method in methods_of(route)}
        for path, methods in made["paths"].items():
            for method, operation in methods.items():
                route = routes[method, path]
                operation["responses"] = _with_problems(operation["responses"], route.responses)
                if f"{method.upper()} {path}" not in OPEN:
                    scope = scope_of(route)
                    scopes = [scope.value] if scope is not None else []
                    operation["security"] = [{"key": scopes}, {"oauth": scopes}]
                if method in _WRITES and "security" in operation:
                    operation.setdefault("parameters", []).append(_IDEMPOTENCY)
        from tallywatt.entrypoints.http.described import describe  # a thousand lines of types, for who asks

        describe(made)
        app.openapi_schema = made
    return app.openapi_schema


def _with_problems(responses: dict[str, Any], own: Mapping[int | str, Any]) -> dict[str, Any]:
    """What a route answers, and the problems that every route may answer with where it does not say otherwise itself."""
    said = {str(status) for status in own}
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    problems = {status: {"description": text, "content": dict(content)} for status, text in _PROBLEMS.items()}
    return {**responses, **{status: one for status, one in problems.items() if status not in said}}


def leaves(routes: Iterable[Any]) -> list[Any]:
    """Routes, with those of included routers in their place."""
    inner = [(route, getattr(route, "original_router", None)) for route in routes]
    return [leaf for route, router in inner for leaf in (leaves(router.routes) if router is not None else [route])]


def methods_of(route: Any) -> list[str]:
    """The methods of a route; those of a folder of files are not to be seen, and it is only read."""
    return sorted((getattr(route, "methods", None) or {"GET"}) - {"HEAD"})


_PROBLEMS = {
    "400": "The request cannot be meant; the detail says what.",
    "401": "No credential, or one that is not valid.",
    "403": "The credential is not for this.",
    "404": "No such thing of this operator.",
    "409": "The state of things forbids it, or the idempotency key came with another request.",
    "422": "The request cannot be read.",
    "429": "Asked more often than a limit allows; Retry-After says when to ask again.",
    "503": "Too much to do at the moment; try again.",
}
_SCHEMES: dict[str, Any] = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, `twk_…`, or a token that was traded for one. It needs the scope that is named.",
    },
    "oauth": {
        "type": "oauth2",
        "description": "Client credentials (RFC 6749, section 4.4). Every API key is a client: its first two parts are the "
        "id, the whole key is the secret.",
        "flows": {
            "clientCredentials": {
                "tokenUrl": "/oauth/token",
                "scopes": {scope: LABELS[f"scope.{scope}"] for scope in ALL_SCOPES},
            }
        },
    },
}
_IDEMPOTENCY: dict[str, Any] = {
    "name": KEY_HEADER.title(),
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 255},
    "description": "A key of your own: the same request under the same key is done once and answered alike.",
}


def _generated(app: FastAPI, told: Sequence[BaseRoute]) -> dict[str, Any]:
    # The import costs a tenth of a second, and most processes are never asked for it.
    from fastapi.openapi.utils import get_openapi

    made = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=told, openapi_version="3.1.0"
    )
    for name in _ERRORS_OF_FRAMEWORK:
        made["components"]["schemas"].pop(name, None)
    return made


_ERRORS_OF_FRAMEWORK = ("HTTPValidationError", "ValidationError")
"""What it would answer to a request that cannot be read; ours is a problem as any other."""


# Functions of the module and not closures over an app: what the framework remembers of a function keeps no app alive.
@router.get("/openapi.json", include_in_schema=False)
async def show_openapi(request: Request, _: Reader) -> Response:
    """The API as an OpenAPI 3.1 file."""
    return as_json(request.app.openapi())


@router.get("/docs", include_in_schema=False)
async def show_docs(request: Request, _: Reader) -> Response:
    """The API as a page."""
    api = request.app.openapi()
    return HTMLResponse(page("docs.html", api=api, groups=grouped(api)))


@router.get("/problems", include_in_schema=False)
async def show_problems() -> Response:
    """What every code of a problem means. It is open: the `type` of each problem leads here, whoever was told it."""
    return HTMLResponse(page("problems.html", problems=known_problems()))


@cache
def known_problems() -> tuple[dict[str, Any], ...]:
    """Every problem that is raised anywhere, by code; `docs/problems.py` reads them from the code."""
    return tuple(json.loads((Path(__file__).parent / "problems.json").read_text(encoding="utf-8")))


def grouped(api: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Operations by their first tag, each with path, method, parameters and the shape of its body."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["other"])[0]
            bodies: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
            answers: dict[str, Any] = operation["responses"]
            status = min(answers)  # the good one: those that are refused have higher figures
            groups.setdefault(tag, []).append(
                {
                    "path": path,
                    "method": method.upper(),
                    "summary": operation.get("summary", ""),
                    "description": operation.get("description", ""),
                    "open": "security" not in operation,
                    "parameters": operation.get("parameters", []),
                    "fields": _fields(api, bodies.get("application/json", {}).get("schema", {})),
                    "example": _pretty(next((one["example"] for one in bodies.values() if "example" in one), None)),
                    "address": _address(path, operation.get("parameters", ())),
                    "status": status,
                    "answer": _pretty(answers[status].get("content", {}).get("application/json", {}).get("example")),
                }
            )
    return groups


def _pretty(example: Any) -> str | None:
    if isinstance(example, str):
        return example
    return None if example is None else json.dumps(example, ensure_ascii=False, indent=2)


def _address(path: str, parameters: Iterable[dict[str, Any]]) -> str:
    given = [one for one in parameters if "example" in one]
    for one in given:
        path = path.replace(f"{{{one['name']}}}", quote(str(one["example"]), safe="*"))
    query = urlencode([(one["name"], one["example"]) for one in given if one["in"] == "query"])
    return f"{path}?{query}" if query else path


def _fields(api: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    name = schema.get("$ref", "").rpartition("/")[2]
    shape = api.get("components", {}).get("schemas", {}).get(name, schema)
    required = set(shape.get("required", ()))
    return [
        {
            "name": field,
            "type": _type(one),
            "required": field in required,
            "description": one.get("description", ""),
            "examples": one.get("examples", ()),
        }
        for field, one in shape.get("properties", {}).items()
    ]


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(one) for one in schema["anyOf"] if one.get("type") != "null"))
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return f"{kind} ({schema['format']})" if "format" in schema else kind
