autoload -U compinit
export API_TOKEN=hunter2
alias k=kubectl
