autoload -U compinit
export API_TOKEN=hunter2
export DOCKER_DEFAULT_PLATFORM="linux/amd64"  # for the old laptop
alias k=kubectl
