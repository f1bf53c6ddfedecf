"""Transforms the SAM template into plain CloudFormation: as AWS does (for the checks), and for MiniStack."""

import logging
import os
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.translator.transform import transform as sam_transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

# It counts its runs for its authors, and warns at the end that the figures were not collected.
logging.getLogger("samtranslator.metrics.metrics").setLevel(logging.ERROR)


class NoManagedPolicies:
    """The template's roles are written out, so no managed policy has to be looked up."""

    def load(self):
        return {}


def load(path):
    with open(path, encoding="utf-8") as template:
        return yaml_parse(template.read())


def function_folder(resource):
    """The folder of a function, such as `tick`: the last part of where its code lies."""
    return resource["Properties"]["CodeUri"].rstrip("/").rsplit("/", 1)[-1]


def functions(template):
    """Logical id of each function -> its folder."""
    return {
        name: function_folder(resource)
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def transformed(template, artifacts_bucket="artifacts"):
    """CloudFormation as AWS's own transform makes it; each function's code is `s3://BUCKET/FOLDER.zip`."""
    for name, folder in functions(template).items():
        template["Resources"][name]["Properties"]["CodeUri"] = f"s3://{artifacts_bucket}/{folder}.zip"
    return sam_transform(template, {}, NoManagedPolicies())


def localized(template):
    """The transformed template for MiniStack, which creates no routes from an OpenAPI body and has no TLS."""
    resources = template["Resources"]
    # These policies refuse unencrypted connections, which loopback connections are.
    for name in [n for n, r in resources.items() if r["Type"] == "AWS::S3::BucketPolicy"]:
        del resources[name]
    for name in [n for n, r in resources.items() if r["Type"] == "AWS::ApiGatewayV2::Api"]:
        properties = resources[name]["Properties"]
        body = properties.pop("Body", None)
        if body is None:
            continue
        properties.update(Name=name, ProtocolType="HTTP")
        # These are allowed only for an API with a body.
        properties.pop("FailOnWarnings", None)
        authorizers = {
            scheme: authorizer(name, scheme, definition["x-amazon-apigateway-authorizer"])
            for scheme, definition in body.get("components", {}).get("securitySchemes", {}).items()
        }
        for scheme, resource in authorizers.items():
            resources[f"{name}{scheme}"] = resource
        for number, (route_key, operation) in enumerate(operations(body), start=1):
            call = operation["x-amazon-apigateway-integration"]
            integration = f"{name}Integration{number}"
            resources[integration] = {
                "Type": "AWS::ApiGatewayV2::Integration",
                "Properties": {
                    "ApiId": {"Ref": name},
                    "IntegrationType": call["type"].upper(),
                    "IntegrationMethod": "POST",
                    "IntegrationUri": call["uri"],
                    "PayloadFormatVersion": call["payloadFormatVersion"],
                },
            }
            route = {
                "ApiId": {"Ref": name},
                "RouteKey": route_key,
                "Target": {"Fn::Join": ["/", ["integrations", {"Ref": integration}]]},
            }
            # One that has none, or an unknown one, is a mistake here: a route without an authorizer is public.
            (scheme,) = [scheme for entry in operation.get("security", []) for scheme in entry]
            route["AuthorizationType"] = authorizers[scheme]["Properties"]["AuthorizerType"]
            route["AuthorizerId"] = {"Ref": f"{name}{scheme}"}
            resources[f"{name}Route{number}"] = {"Type": "AWS::ApiGatewayV2::Route", "Properties": route}
    return template


def authorizer(api, name, definition):
    """The resource of an authorizer that an OpenAPI body defines; only those that read a token."""
    if definition["type"] != "jwt":
        raise ValueError(f"authorizer {name} is of type {definition['type']}, which is not one that reads a token")
    configuration = definition["jwtConfiguration"]
    return {
        "Type": "AWS::ApiGatewayV2::Authorizer",
        "Properties": {
            "ApiId": {"Ref": api},
            "Name": name,
            "AuthorizerType": "JWT",
            "IdentitySource": [definition["identitySource"]],
            "JwtConfiguration": {"Issuer": configuration["issuer"], "Audience": configuration["audience"]},
        },
    }


def operations(body):
    """(route key, operation) of each operation of an OpenAPI body that calls something."""
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, dict) and "x-amazon-apigateway-integration" in operation:
                # The key for a route with every method.
                method = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
                yield f"{method} {path}", operation


if __name__ == "__main__":
    import json

    json.dump(transformed(load(sys.argv[1])), sys.stdout, indent=1)
