"""The conformance driver of the synchronous Python client."""

from frames import answer, failure, requests
from synap_sdk import SynapClient, SynapError


def main():
    client = None
    for request in requests():
        try:
            if request[0] == "open":
                if client:
                    client.close()
                client = SynapClient(request[1])
                answer([None])
            else:
                answer([client.command(request[1], request[2])])
        except SynapError as e:
            answer(failure(e))


main()
