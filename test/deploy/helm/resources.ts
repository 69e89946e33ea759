/** Of what Kubernetes is given, that which the checks look at. */
export type Resource = {
  apiVersion: string
  kind: string
  metadata: { name: string; annotations?: Record<string, string> }
  spec: {
    replicas?: number
    selector?: Record<string, string> & { matchLabels?: Record<string, string> }
    scaleTargetRef?: { name: string }
    template?: { metadata: { labels: Record<string, string> }; spec: Pod }
  }
}

export type Pod = {
  automountServiceAccountToken: boolean
  terminationGracePeriodSeconds?: number
  securityContext: { runAsNonRoot: boolean }
  containers: [Container]
}

type Container = {
  image: string
  env: { name: string; value?: string }[]
  securityContext: object
  lifecycle?: { preStop: { sleep: { seconds: number } } }
  readinessProbe?: object
}
