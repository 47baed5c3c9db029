"""README.md's commands for containers. tests/deploy/test_containers.py runs them."""

RUN = ("docker run --detach --name=procevent_exporter --restart=unless-stopped --pid=host --network=host "
       "--cap-drop=ALL --cap-add=NET_ADMIN --read-only --security-opt=no-new-privileges procevent_exporter")
RELOAD = "kill -HUP \"$(docker inspect --format='{{.State.Pid}}' procevent_exporter)\""
WATCH = "docker exec -it procevent_exporter procevent_exporter watch --events --type=exit --duration=1m"
RECORD = "docker exec procevent_exporter procevent_exporter record - --duration=10s >FILE"
TEST = ("docker build --target test -t procevent_test .", "docker run --rm procevent_test")  # takes minutes
COMMANDS = (
    "docker build -t procevent_exporter .", RUN, RELOAD, WATCH, RECORD,
    *(f"docker compose -p procevent -f deploy/compose/compose.yml --profile {profile} up"
      for profile in ("node", "demo")))
